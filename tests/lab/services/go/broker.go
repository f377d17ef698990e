package main

import (
	"net"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/zap"
)

// holdConnection keeps one AMQP connection, on the next address when one ends.
func holdConnection(journal *journal, log *zap.Logger) {
	addresses := split(os.Getenv("AMQP_ADDRESSES"))
	for at := 0; len(addresses) > 0; at++ {
		address := addresses[at%len(addresses)]
		if err := useConnection(address, journal); err != nil {
			log.Named("amqp").Warn("connection ended", zap.String("address", address), zap.Error(err))
		}
		time.Sleep(time.Second)
	}
}

func useConnection(address string, journal *journal) error {
	var socket net.Conn
	settings := amqp.Config{Heartbeat: 10 * time.Second, Vhost: env("AMQP_VHOST", "shop"), Properties: amqp.NewConnectionProperties(),
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: env("AMQP_USER", "app"), Password: os.Getenv("AMQP_PASSWORD")}},
		Dial: func(network, to string) (net.Conn, error) {
			dialled, err := amqp.DefaultDial(10*time.Second)(network, to)
			socket = dialled
			return dialled, err
		}}
	name := os.Getenv("AMQP_CLIENT_NAME")
	if name != "" {
		settings.Properties.SetClientConnectionName(name)
	}
	connection, err := amqp.DialConfig("amqp://"+address, settings)
	if err != nil {
		return err
	}
	facts := func() map[string]any {
		return map[string]any{"local": socket.LocalAddr().String(), "peer": socket.RemoteAddr().String(), "client_name": name, "vhost": settings.Vhost}
	}
	journal.write("connected", facts())
	closed := connection.NotifyClose(make(chan *amqp.Error, 1))
	if err := consume(connection); err != nil {
		connection.Close()
		journal.write("disconnected", facts())
		return err
	}
	reason := <-closed
	journal.write("disconnected", facts())
	if reason != nil {
		return reason
	}
	return nil
}

func consume(connection *amqp.Connection) error {
	queue := os.Getenv("AMQP_CONSUMES")
	if queue == "" {
		return nil
	}
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if _, err = channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return err
	}
	deliveries, err := channel.Consume(queue, "", true, false, false, false, nil)
	go func() {
		for range deliveries {
		}
	}()
	return err
}
