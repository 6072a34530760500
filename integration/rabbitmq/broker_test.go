//go:build integration

package rabbitmq_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/rabbitmq"
)

func TestBrokerLifecycle(t *testing.T) {
	t.Parallel()
	b := rabbitmq.Start(t, rabbitmq.Options{TLS: true, User: "cinder", Password: `q"\uo/te@d`})

	t.Run("lists exchanges and queues", func(t *testing.T) {
		c := rabbitmq.Dial(t, b.URL())
		ch := rabbitmq.Channel(t, c)
		if err := ch.ExchangeDeclare("news_fanout", "fanout", false, true, false, false, nil); err != nil {
			t.Fatal(err)
		}
		q, err := ch.QueueDeclare("", false, true, true, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ch.QueueBind(q.Name, "", "news_fanout", false, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := ch.ConsumeWithContext(t.Context(), q.Name, "", true, true, false, false, nil); err != nil {
			t.Fatal(err)
		}
		want := rabbitmq.Queue{Name: q.Name, AutoDelete: true, Exclusive: true, Consumers: 1}
		if got := b.Queues(); len(got) != 1 || got[0] != want {
			t.Errorf("queues are %+v, want one %+v", got, want)
		}
		exchange := rabbitmq.Exchange{Name: "news_fanout", Type: "fanout", AutoDelete: true}
		if got := b.Exchanges(); len(got) != 1 || got[0] != exchange {
			t.Errorf("exchanges are %+v, want one %+v", got, exchange)
		}
	})

	t.Run("accepts TLS", func(t *testing.T) {
		pem, err := os.ReadFile(b.CAFile())
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		c, err := amqp091.DialTLS(b.TLSURL(), &tls.Config{RootCAs: pool})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if c, err := amqp091.DialTLS(b.TLSURL(), &tls.Config{}); err == nil {
			t.Error("the certificate was accepted without its authority")
			_ = c.Close()
		}
	})

	t.Run("blocks publishers on demand", func(t *testing.T) {
		c := rabbitmq.Dial(t, b.URL())
		blocked := c.NotifyBlocked(make(chan amqp091.Blocking, 4))
		ch := rabbitmq.Channel(t, c)
		b.Block()
		if err := ch.PublishWithContext(context.Background(), "amq.fanout", "", false, false, amqp091.Publishing{}); err != nil {
			t.Fatal(err)
		}
		if n := next(t, blocked); !n.Active {
			t.Error("the connection was not blocked")
		}
		b.Unblock()
		if n := next(t, blocked); n.Active {
			t.Error("the connection stayed blocked")
		}
	})

	t.Run("keeps port and data when killed", func(t *testing.T) {
		c := rabbitmq.Dial(t, b.URL())
		if err := rabbitmq.Channel(t, c).ExchangeDeclare("kept", "direct", true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		b.Ctl("eval", "mnesia:sync_log().") // what is declared reaches the disk a moment later
		closed := c.NotifyClose(make(chan *amqp091.Error, 1))
		b.Kill()
		if err := next(t, closed); err == nil {
			t.Error("a killed broker closed its connection in order")
		}
		if _, err := amqp091.Dial(b.URL()); err == nil {
			t.Error("a killed broker accepted a connection")
		}
		b.Start()
		rabbitmq.Dial(t, b.URL())
		if got := b.Exchanges(); len(got) != 1 || got[0].Name != "kept" {
			t.Errorf("exchanges after the restart are %+v", got)
		}
	})

	t.Run("runs a tool when it has started", func(t *testing.T) {
		b.Ctl("stop_app")
		started := make(chan string, 1)
		go func() { started <- b.Ctl("start_app") }()
		b.VHosts(t, "late")
		<-started
		rabbitmq.Dial(t, b.In(t, "late").URL())
	})

	t.Run("freezes and thaws", func(t *testing.T) {
		b.Freeze()
		config := amqp091.Config{Dial: amqp091.DefaultDial(time.Second)}
		if _, err := amqp091.DialConfig(b.URL(), config); err == nil {
			t.Error("a frozen broker accepted a connection")
		}
		b.Thaw()
		rabbitmq.Dial(t, b.URL())
	})
}

// TestBrokersAreSeparate runs two at once.
func TestBrokersAreSeparate(t *testing.T) {
	t.Parallel()
	one, two := rabbitmq.Start(t, rabbitmq.Options{}), rabbitmq.Start(t, rabbitmq.Options{})
	if err := rabbitmq.Channel(t, rabbitmq.Dial(t, one.URL())).ExchangeDeclare("mine", "direct", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if got := two.Exchanges(); len(got) != 0 {
		t.Errorf("the second broker has %+v", got)
	}
	one.Stop()
	rabbitmq.Dial(t, two.URL())
}

func next[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(90 * time.Second):
		t.Fatal("waited 90s for a notification of the broker")
	}
	return v
}

// TestSharedBrokerVirtualHosts gives two tests a virtual host each.
func TestSharedBrokerVirtualHosts(t *testing.T) {
	t.Parallel()
	shared := rabbitmq.Shared{Options: rabbitmq.Options{User: "cinder", Password: `q"\uo/te@d`}}
	var first *rabbitmq.Broker
	t.Run("first", func(t *testing.T) {
		first = shared.VirtualHost(t)
		declare(t, first, "of_the_first")
	})
	t.Run("second", func(t *testing.T) {
		b := shared.VirtualHost(t)
		declare(t, b, "of_the_second")
		if got := b.Exchanges(); b.URL() == first.URL() || len(got) != 1 || got[0].Name != "of_the_second" {
			t.Errorf("exchanges are %+v at %s", got, b.Addr())
		}
	})
	if err := shared.Close(); err != nil {
		t.Error(err)
	}
	if c, err := amqp091.Dial(first.URL()); err == nil {
		t.Error("the broker still runs")
		_ = c.Close()
	}
}

func declare(t *testing.T, b *rabbitmq.Broker, exchange string) {
	t.Helper()
	if err := rabbitmq.Channel(t, rabbitmq.Dial(t, b.URL())).ExchangeDeclare(exchange, "direct", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
}
