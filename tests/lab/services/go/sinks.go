package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"crypto/rand"

	"go.uber.org/zap/zapcore"
)

// journal appends one JSON line per event to a file on the node; it outlives the process.
type journal struct{ file *os.File }

func openJournal(folder string) *journal {
	uid, container := env("POD_UID", "00000000-0000-0000-0000-000000000000"), env("CONTAINER_NAME", "app")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		panic(err)
	}
	path := filepath.Join(folder, fmt.Sprintf("%s.%s.%d.jsonl", uid, container, time.Now().UnixNano()))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		panic(err)
	}
	opened := &journal{file}
	opened.write("started", map[string]any{"namespace": env("POD_NAMESPACE", ""), "pod": env("POD_NAME", ""), "uid": uid, "container": container, "ip": env("POD_IP", ""), "image": env("IMAGE", "")})
	return opened
}

func (j *journal) write(event string, facts map[string]any) {
	facts["event"], facts["at"] = event, time.Now().UnixNano()
	line, err := json.Marshal(facts)
	if err != nil {
		panic(err)
	}
	j.file.Write(append(line, '\n'))
}

type counter struct{ last atomic.Int64 }

// twoSinks is a zapcore.Core: every entry goes to stderr, and as a document to the shipper.
type twoSinks struct {
	console, document zapcore.Encoder
	fields            []zapcore.Field
	journal           *journal
	shipper           *shipper
	pod               string
	numbers           *counter
	lock              sync.Mutex
}

func (s *twoSinks) Enabled(zapcore.Level) bool { return true }

func (s *twoSinks) With(fields []zapcore.Field) zapcore.Core {
	return &twoSinks{console: s.console, document: s.document, fields: append(s.fields[:len(s.fields):len(s.fields)], fields...), journal: s.journal, shipper: s.shipper, pod: s.pod, numbers: s.numbers}
}

func (s *twoSinks) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, s)
}

func (s *twoSinks) Sync() error { return nil }

func (s *twoSinks) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	all := append(s.fields[:len(s.fields):len(s.fields)], fields...)
	text, err := s.console.EncodeEntry(entry, all)
	if err != nil {
		return err
	}
	line := strings.TrimSuffix(text.String(), "\n")
	sequence := s.numbers.last.Add(1)
	s.journal.write("entry", map[string]any{"sequence": sequence, "level": entry.Level.CapitalString(), "logger": entry.LoggerName, "text": line, "console": true, "stream": "stderr"})
	os.Stderr.WriteString(line + "\n")
	document, err := s.document.EncodeEntry(entry, all)
	if err != nil {
		return err
	}
	labelled := strings.TrimSuffix(strings.TrimSpace(document.String()), "}") + fmt.Sprintf(",\"kubernetes\":{\"pod\":{\"name\":%q}}}", s.pod)
	s.shipper.offer(sequence, labelled)
	return nil
}

type shipped struct {
	sequence int64
	document string
}

// shipper batches documents to _bulk; it keeps a batch until Elasticsearch answers and blocks nobody.
type shipper struct {
	queue   chan shipped
	journal *journal
	client  http.Client
}

func newShipper(journal *journal) *shipper {
	made := &shipper{queue: make(chan shipped, int(number("SHIP_QUEUE", 300))), journal: journal}
	made.client.Timeout = time.Duration(number("SHIP_TIMEOUT_SECONDS", 5) * float64(time.Second))
	go made.run()
	return made
}

func (s *shipper) offer(sequence int64, document string) {
	select {
	case s.queue <- shipped{sequence, document}:
	default:
		s.journal.write("dropped", map[string]any{"sequence": sequence, "why": "queue_full"})
	}
}

func (s *shipper) run() {
	flush := time.NewTicker(time.Duration(number("SHIP_FLUSH_SECONDS", 2) * float64(time.Second)))
	size := int(number("SHIP_BATCH", 50))
	var batch []shipped
	for {
		select {
		case next := <-s.queue:
			if batch = append(batch, next); len(batch) < size {
				continue
			}
		case <-flush.C:
		}
		if len(batch) > 0 {
			s.deliver(batch)
			batch = nil
		}
	}
}

// deliver tries until Elasticsearch answered: what it loses is what no longer fits the queue.
func (s *shipper) deliver(batch []shipped) {
	for attempt := 1; ; attempt++ {
		ids := map[string]string{}
		var body bytes.Buffer
		for _, entry := range batch {
			id := identifier()
			ids[fmt.Sprint(entry.sequence)] = id
			fmt.Fprintf(&body, "{\"create\":{\"_index\":%q,\"_id\":%q}}\n%s\n", env("ELASTIC_INDEX", "logs-local"), id, entry.document)
		}
		s.journal.write("sent", map[string]any{"attempt": attempt, "ids": ids})
		answer, err := s.post(&body)
		if err != nil {
			s.journal.write("failed", map[string]any{"attempt": attempt, "why": err.Error()})
		} else if batch = s.judge(batch, answer); len(batch) == 0 {
			return
		}
		time.Sleep(2 * time.Second)
	}
}

type answer struct {
	Items []map[string]struct {
		Status int
		Error  struct {
			Type, Reason string
		}
	}
}

func (s *shipper) post(body io.Reader) (answer, error) {
	var read answer
	request, err := http.NewRequest(http.MethodPost, env("ELASTIC_URL", "http://127.0.0.1:9200")+"/_bulk", body)
	if err != nil {
		return read, err
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	if key := os.Getenv("ELASTIC_AUTHORIZATION"); key != "" {
		request.Header.Set("Authorization", key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return read, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return read, fmt.Errorf("HTTP %d", response.StatusCode)
	}
	return read, json.NewDecoder(response.Body).Decode(&read)
}

// judge journals each item's fate; the ones answered 429 come back for another attempt.
func (s *shipper) judge(batch []shipped, read answer) []shipped {
	var accepted []int64
	var again []shipped
	for at, item := range read.Items {
		if result := item["create"]; result.Status == http.StatusTooManyRequests {
			again = append(again, batch[at])
		} else if result.Status >= 300 {
			s.journal.write("refused", map[string]any{"sequence": batch[at].sequence, "type": result.Error.Type, "reason": result.Error.Reason})
		} else {
			accepted = append(accepted, batch[at].sequence)
		}
	}
	s.journal.write("acknowledged", map[string]any{"sequences": accepted})
	return again
}

func identifier() string {
	random := make([]byte, 16)
	rand.Read(random)
	return fmt.Sprintf("%x", random)
}
