package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// journalled is a console that the journal knows of; the libraries write one entry with one call.
type journalled struct {
	journal       *journal
	sequence      int64
	level, logger string
}

func (j *journalled) Write(line []byte) (int, error) {
	j.sequence++
	j.journal.write("entry", map[string]any{"sequence": j.sequence, "level": j.level, "logger": j.logger, "text": strings.TrimSuffix(string(line), "\n"), "console": true, "stream": "stdout"})
	return os.Stdout.Write(line)
}

// printForEver logs to the console and nowhere else: what of it is shipped, a shipper of the node ships.
func printForEver(journal *journal, library string) {
	console := &journalled{journal: journal}
	journal.write("no_sink", map[string]any{})
	say := map[string]func(io.Writer) func(level, logger, message string, pairs ...any){"zerolog": byZerolog, "slog": bySlog}[library](console)
	random := rand.New(rand.NewSource(time.Now().UnixNano()))
	pause := time.Duration(float64(time.Second) / number("RATE", 30))
	for {
		order := fmt.Sprintf("G-%07d", random.Intn(10_000_000))
		console.level, console.logger = "INFO", "gate"
		switch pick := random.Intn(20); {
		case pick < 10:
			say("INFO", "gate", "request served", "order", order, "path", "/api/orders/"+order, "status", 200, "millis", random.Intn(900))
		case pick < 14:
			console.level = "DEBUG"
			say("DEBUG", "gate", "cache looked at", "key", order, "hit", random.Intn(2) == 0)
		case pick < 17:
			console.logger = "health"
			say("INFO", "health", "heartbeat ok")
		case pick < 19:
			console.level = "WARN"
			say("WARN", "gate", "upstream is slow, façade Zürich", "upstream", "payments", "seconds", float64(random.Intn(900))/100)
		default:
			console.level = "ERROR"
			say("ERROR", "gate", "request failed", "order", order, "error", fmt.Errorf("read %s: connection reset by peer", order))
		}
		time.Sleep(pause)
	}
}

func byZerolog(console io.Writer) func(level, logger, message string, pairs ...any) {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	log := zerolog.New(console).With().Timestamp().Logger()
	return func(level, logger, message string, pairs ...any) {
		known, err := zerolog.ParseLevel(strings.ToLower(level))
		if err != nil {
			panic(err)
		}
		log.WithLevel(known).Str("logger", logger).Fields(pairs).Msg(message)
	}
}

func bySlog(console io.Writer) func(level, logger, message string, pairs ...any) {
	log := slog.New(slog.NewTextHandler(console, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return func(level, logger, message string, pairs ...any) {
		var known slog.Level
		if err := known.UnmarshalText([]byte(level)); err != nil {
			panic(err)
		}
		log.Log(context.Background(), known, message, append([]any{"logger", logger}, pairs...)...)
	}
}
