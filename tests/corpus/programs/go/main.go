// Command record logs the shared events through Go's logging libraries to a console and as the documents that would be shipped.
// Usage: record EVENTS.json OUTPUT_FOLDER; writes <format>/events.jsonl with one row per event.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.elastic.co/ecszap"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
)

type event struct {
	Level      string          `json:"level"`
	Logger     string          `json:"logger"`
	Template   string          `json:"template"`
	Properties json.RawMessage `json:"properties"`
	Exception  string          `json:"exception,omitempty"`
}

type field struct {
	name  string
	value any
}

type row struct {
	Time     int64           `json:"time"`
	Stream   string          `json:"stream"`
	Console  string          `json:"console"`
	Document json.RawMessage `json:"document"`
	event
}

var slot = regexp.MustCompile(`\s*\{\w+\}`)

func (e event) words() string { return slot.ReplaceAllString(e.Template, "") }

func (e event) fields() []field {
	decoder := json.NewDecoder(bytes.NewReader(e.Properties))
	var fields []field
	decoder.Token()
	for decoder.More() {
		name, _ := decoder.Token()
		var value any
		decoder.Decode(&value)
		if number, ok := value.(float64); ok && number == float64(int64(number)) && number < 1e6 {
			value = int64(number)
		}
		fields = append(fields, field{name.(string), value})
	}
	return fields
}

func (e event) err() error {
	if e.Exception == "" {
		return nil
	}
	return fmt.Errorf("settlement failed: %w", errors.New("no ledger"))
}

type log func(e event, console, shipped *bytes.Buffer)

func throughZap(console func() zapcore.Encoder) log {
	return func(e event, out, sent *bytes.Buffer) {
		core := zapcore.NewTee(
			zapcore.NewCore(console(), zapcore.AddSync(out), zap.DebugLevel),
			ecszap.NewCore(ecszap.NewDefaultEncoderConfig(), zapcore.AddSync(sent), zap.DebugLevel),
		)
		logger := zap.New(core, zap.AddCaller(), zap.AddStacktrace(zap.ErrorLevel)).Named(e.Logger)
		var fields []zap.Field
		for _, one := range e.fields() {
			fields = append(fields, zap.Any(one.name, one.value))
		}
		if err := e.err(); err != nil {
			fields = append(fields, zap.Error(err))
		}
		level, _ := zapcore.ParseLevel(e.Level)
		logger.Log(level, e.words(), fields...)
	}
}

func throughSlog(handler func(*bytes.Buffer, *slog.HandlerOptions) slog.Handler) log {
	return func(e event, out, sent *bytes.Buffer) {
		renamed := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "time" {
				a.Key = "@timestamp"
			}
			return a
		}}
		var level slog.Level
		level.UnmarshalText([]byte(e.Level))
		record := slog.NewRecord(time.Now(), level, e.words(), 0)
		for _, one := range e.fields() {
			record.AddAttrs(slog.Any(one.name, one.value))
		}
		if err := e.err(); err != nil {
			record.AddAttrs(slog.Any("err", err))
		}
		handler(out, &slog.HandlerOptions{Level: slog.LevelDebug}).Handle(nil, record)
		slog.NewJSONHandler(sent, renamed).Handle(nil, record)
	}
}

func throughZerolog(noColour, jsonConsole bool) log {
	return func(e event, out, sent *bytes.Buffer) {
		var console zerolog.LevelWriter = zerolog.MultiLevelWriter(zerolog.ConsoleWriter{Out: out, NoColor: noColour, TimeFormat: time.RFC3339}, sent)
		if jsonConsole {
			console = zerolog.MultiLevelWriter(out, sent)
		}
		logger := zerolog.New(console).With().Timestamp().Str("logger", e.Logger).Logger()
		level, _ := zerolog.ParseLevel(e.Level)
		entry := logger.WithLevel(level)
		for _, one := range e.fields() {
			entry = entry.Any(one.name, one.value)
		}
		if err := e.err(); err != nil {
			entry = entry.Err(err)
		}
		entry.Msg(e.words())
	}
}

func throughKlog(e event, out, sent *bytes.Buffer) {
	klog.SetOutput(out)
	pairs := []any{}
	for _, one := range e.fields() {
		pairs = append(pairs, one.name, one.value)
	}
	record := slog.NewRecord(time.Now(), slog.LevelInfo, e.words(), 0)
	if e.Level == "error" {
		klog.ErrorS(e.err(), e.words(), pairs...)
		record.Level = slog.LevelError
	} else {
		klog.InfoS(e.words(), pairs...)
	}
	klog.Flush()
	record.Add(pairs...)
	renamed := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "time" {
			a.Key = "@timestamp"
		}
		return a
	}}
	slog.NewJSONHandler(sent, renamed).Handle(nil, record)
}

func fatalIf(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	flags.Parse([]string{"-logtostderr=false", "-alsologtostderr=false", "-stderrthreshold=FATAL", "-one_output=true"})
	text, err := os.ReadFile(os.Args[1])
	fatalIf(err)
	var events []event
	fatalIf(json.Unmarshal(text, &events))
	development := zap.NewDevelopmentEncoderConfig()
	production := zap.NewProductionEncoderConfig()
	coloured := zap.NewDevelopmentEncoderConfig()
	coloured.EncodeLevel = zapcore.CapitalColorLevelEncoder
	formats := map[string]log{
		"zap_development": throughZap(func() zapcore.Encoder { return zapcore.NewConsoleEncoder(development) }),
		"zap_coloured":    throughZap(func() zapcore.Encoder { return zapcore.NewConsoleEncoder(coloured) }),
		"zap_production":  throughZap(func() zapcore.Encoder { return zapcore.NewJSONEncoder(production) }),
		"slog_text": throughSlog(func(w *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) }),
		"slog_json": throughSlog(func(w *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) }),
		"zerolog_coloured": throughZerolog(false, false),
		"zerolog_console":  throughZerolog(true, false),
		"zerolog_json":     throughZerolog(true, true),
		"klog":             throughKlog,
	}
	for name, write := range formats {
		var rows strings.Builder
		encoder := json.NewEncoder(&rows)
		encoder.SetEscapeHTML(false)
		for _, e := range events {
			var console, shipped bytes.Buffer
			now := time.Now().UnixNano()
			write(e, &console, &shipped)
			time.Sleep(4 * time.Millisecond)
			document := map[string]any{}
			fatalIf(json.Unmarshal(shipped.Bytes(), &document))
			if document["@timestamp"] == nil {
				document["@timestamp"] = time.Unix(0, now).UTC().Format("2006-01-02T15:04:05.000Z")
			}
			kept, _ := json.Marshal(document)
			fatalIf(encoder.Encode(row{now, "stderr", strings.TrimSuffix(console.String(), "\n"), kept, e}))
		}
		last := "panic: runtime error: invalid memory address or nil pointer dereference\n" +
			"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47f2a1]\n\n" + strings.TrimSpace(string(debug.Stack()))
		encoder.Encode(row{Time: time.Now().UnixNano(), Stream: "stderr", Console: last, Document: []byte("null"), event: event{Properties: []byte("{}")}})
		folder := filepath.Join(os.Args[2], name)
		fatalIf(os.MkdirAll(folder, 0o755))
		fatalIf(os.WriteFile(filepath.Join(folder, "events.jsonl"), []byte(rows.String()), 0o644))
	}
}
