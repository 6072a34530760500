//go:build integration

package publisher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// answerPools declares what a scheduler declares, consumes its queue, and sends
// replies to each call: texts with %ID% for the ID of the call. No scheduler
// understands the call here, so its rights and errors are tested apart from Cinder.
func answerPools(t *testing.T, uri string, replies ...string) {
	t.Helper()
	ch := channelOn(t, connect(t, uri))
	must(t, errors.Join(
		ch.ExchangeDeclare(cindertest.ControlExchange, "topic", false, false, false, false, nil),
		func() error { _, err := ch.QueueDeclare(schedulerQueue, false, false, false, false, nil); return err }(),
		ch.QueueBind(schedulerQueue, schedulerQueue, cindertest.ControlExchange, false, nil),
	))
	calls, err := ch.Consume(schedulerQueue, "", true, false, false, false, nil)
	must(t, err)
	go func() {
		for d := range calls {
			inner, err := unwrap(d.Body)
			var call struct {
				ID    string `json:"_msg_id"`
				Reply string `json:"_reply_q"`
			}
			if err != nil || json.Unmarshal(inner, &call) != nil {
				continue
			}
			for _, text := range replies {
				body := replyBody(t, strings.ReplaceAll(text, "%ID%", call.ID))
				_ = ch.PublishWithContext(context.Background(), "", call.Reply, true, false, amqp.Publishing{Body: body})
			}
		}
	}()
}

const onePool = `{"_msg_id": "%ID%", "result": [{"name": "ctl1@lvm#lvm", "capabilities": {"n": 1}}], "failure": null, "ending": false}`

// testPools requests lists from a stand-in: the reply in several messages, a failure,
// no scheduler, another exchange, missing rights.
func testPools(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	o := optionsFor(t, uri)
	fails := func(what string, o Options, want ...string) {
		t.Helper()
		_, err := Pools(t.Context(), o)
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %q", what, err, text)
			}
		}
	}
	fails("no queue", o, "no scheduler runs", "does not exist in this virtual host")
	answerPools(t, uri, `{"_msg_id": "another", "result": [], "ending": true}`, onePool, `{"_msg_id": "%ID%", "result": null, "failure": null, "ending": true}`)
	before := queues(b)
	list, err := Pools(t.Context(), o)
	must(t, err)
	if len(list.Pools) != 1 || list.Pools[0].Name != "ctl1@lvm#lvm" || list.Broker != o.Brokers[0].address() || time.Since(list.Received) > time.Minute {
		t.Errorf("got %+v", list)
	}
	if after := queues(b); !slices.Equal(before, after) {
		t.Errorf("queues before %q, after %q", before, after)
	}
	other := o
	other.ControlExchange = "elsewhere"
	fails("another exchange", other, "no scheduler runs", "the exchange elsewhere does not exist; check control_exchange")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Pools(ended, o); err == nil {
		t.Error("a context that has ended is ignored")
	}
	testPoolsRights(t, b, o)
}

// testPoolsWithoutReply: a scheduler that does not reply, or not to this call, ends the
// request with its context, and the queue for the reply is gone.
func testPoolsWithoutReply(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	answerPools(t, uri, `{"_msg_id": "another", "result": [], "ending": true}`, `{"_msg_id": "%ID%", "result": null, "failure": null, "ending": false}`)
	before := queues(b)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begun := time.Now()
	_, err := Pools(ctx, optionsFor(t, uri))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no reply within 2s; ") || time.Since(begun) > bound {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	process.Await(t, bound, "the queue for the reply to be gone", func() error {
		if after := queues(b); !slices.Equal(before, after) {
			return fmt.Errorf("queues before %q, after %q", before, after)
		}
		return nil
	})
}

// testPoolsRights checks the rights that OPERATIONS.md has for the list, with both
// names of the reply queue, and that a missing one is named.
func testPoolsRights(t *testing.T, b *rabbitmq.Broker, o Options) {
	text, err := os.ReadFile("../OPERATIONS.md")
	must(t, err)
	documented := regexp.MustCompile(`(?m)^rabbitmqctl set_permissions -p / poolcast '(.*)' '(.*)' '(.*)'$`).FindAllStringSubmatch(string(text), -1)
	rights := documented[len(documented)-1][1:]
	b.Ctl("add_user", "reader", "reader")
	o.Brokers = slices.Clone(o.Brokers)
	o.Brokers[0].User, o.Brokers[0].Password = "reader", word("reader")
	for _, quorum := range []bool{false, true} {
		o.TransientQuorum = quorum
		b.Ctl("set_permissions", "-p", b.VHost(), "reader", rights[0], rights[1], rights[2])
		_, err := Pools(t.Context(), o)
		must(t, err)
		for missing := range rights {
			less := slices.Clone(rights)
			less[missing] = "^$"
			b.Ctl("set_permissions", "-p", b.VHost(), "reader", less[0], less[1], less[2])
			_, err := Pools(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), "ACCESS_REFUSED - ") || !strings.Contains(err.Error(), "; the user needs the right to ") {
				t.Errorf("with the rights %q: %v", less, err)
			}
		}
	}
}

// TestPoolsUnreachableBroker: the error names the broker and not the password.
func TestPoolsUnreachableBroker(t *testing.T) {
	_, err := Pools(t.Context(), Options{Brokers: []Broker{{Host: "127.0.0.1", Port: 1, User: "u", Password: word("secret")}}})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1: ") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}
