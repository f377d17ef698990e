// A small Go service of the lab: zap to its console and to Elasticsearch, AMQP to a chosen node.
//
// Everything it logs, ships, loses and connects to is written to a private journal, the truth.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func number(name string, otherwise float64) float64 {
	if value, err := strconv.ParseFloat(os.Getenv(name), 64); err == nil {
		return value
	}
	return otherwise
}

// encoders gives the console's spelling and the document's, both zap's own.
func encoders() (zapcore.Encoder, zapcore.Encoder) {
	console := zap.NewProductionEncoderConfig()
	console.EncodeTime = zapcore.ISO8601TimeEncoder
	console.EncodeLevel = zapcore.CapitalLevelEncoder
	document := zap.NewProductionEncoderConfig()
	document.TimeKey = "@timestamp"
	document.MessageKey = "message"
	document.NameKey = "log.logger"
	document.LevelKey = "log.level"
	document.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return zapcore.NewConsoleEncoder(console), zapcore.NewJSONEncoder(document)
}

type story struct{ random *rand.Rand }

func (s story) order() string { return fmt.Sprintf("P-%07d", s.random.Intn(10_000_000)) }

func (s story) tell(log *zap.Logger) {
	order := s.order()
	switch pick := s.random.Intn(20); {
	case pick < 7:
		log.Named("ledger").Info("posting stored", zap.String("order", order), zap.Float64("amount", float64(s.random.Intn(90000))/100))
	case pick < 12:
		log.Named("ledger").Debug("balance read", zap.String("account", order), zap.Int("version", s.random.Intn(50)))
	case pick < 15:
		log.Named("health").Info("heartbeat ok")
	case pick < 17:
		log.Named("settle").Info("batch settled", zap.Duration("took", time.Duration(s.random.Intn(9000))*time.Microsecond), zap.Strings("parts", []string{"a", "b"}))
	case pick < 19:
		log.Named("settle").Warn("slow counterparty", zap.String("bank", "Sparkasse Köln"), zap.Int("ms", s.random.Intn(4000)))
	default:
		log.Named("ledger").Error("posting refused", zap.String("order", order), zap.Error(fmt.Errorf("account %s is closed", order)))
	}
}

type command struct {
	Do    string `json:"do"`
	Count int    `json:"count"`
	Code  int    `json:"code"`
}

// obey carries out the command that the lab left for this pod, if there is one.
func obey(path string, log *zap.Logger, story story) {
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	os.Remove(path)
	var order command
	if err := json.Unmarshal(text, &order); err != nil {
		log.Fatal("unreadable command", zap.Error(err))
	}
	switch order.Do {
	case "burst":
		for i := range order.Count {
			log.Named("replay").Warn("dead letter replayed", zap.String("order", story.order()), zap.Int("offset", i))
		}
	case "crash":
		var missing map[string]int
		missing["settled"]++ // a nil map: the runtime's own panic text goes to stderr
	case "exit":
		log.Named("lifecycle").Info("asked to stop, leaving without a flush")
		os.Exit(order.Code)
	}
}

func main() {
	pod := env("POD_NAME", "local-pod")
	journal := openJournal(env("TRUTH_FOLDER", "/lab/private"))
	fmt.Printf("ledger %s (go)\n", env("VERSION", "dev"))
	if library := os.Getenv("PRINTS_WITH"); library != "" {
		printForEver(journal, library)
	}
	console, document := encoders()
	core := &twoSinks{console: console, document: document, journal: journal, shipper: newShipper(journal), pod: pod, numbers: new(counter)}
	log := zap.New(core)
	go holdConnection(journal, log)
	told := story{random: rand.New(rand.NewSource(time.Now().UnixNano()))}
	pause := time.Duration(float64(time.Second) / number("RATE", 4))
	orders := filepath.Join(env("CONTROL_FOLDER", "/lab/control"), pod+".json")
	for {
		told.tell(log)
		obey(orders, log, told)
		time.Sleep(pause)
	}
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(letter rune) bool { return letter == ',' })
}
