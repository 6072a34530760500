package publisher

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestRetryAfter checks the waits against those of oslo.messaging, of which half
// is chance here.
func TestRetryAfter(t *testing.T) {
	cinder := Options{RetryInterval: time.Second, RetryBackoff: 2 * time.Second, RetryMax: 30 * time.Second}
	slow := Options{RetryInterval: 4 * time.Second, RetryBackoff: 10 * time.Second, RetryMax: 20 * time.Second}
	long := Options{RetryInterval: time.Hour, RetryMax: 2 * time.Hour}
	for _, tt := range []struct {
		name string
		o    Options
		n    int
		most time.Duration
	}{
		{"first, defaults of cinder.conf", cinder, 1, time.Second},
		{"second, defaults of cinder.conf", cinder, 2, 3 * time.Second},
		{"tenth, defaults of cinder.conf", cinder, 10, 19 * time.Second},
		{"longest, defaults of cinder.conf", cinder, 100, 30 * time.Second},
		{"after years", cinder, 1 << 40, 30 * time.Second},
		{"first, other options", slow, 1, 4 * time.Second},
		{"second, other options", slow, 2, 14 * time.Second},
		{"longest, other options", slow, 3, 20 * time.Second},
		{"never more than half a minute", long, 1, 30 * time.Second},
		{"nothing configured", Options{}, 5, time.Second},
	} {
		for range 100 {
			if d := tt.o.withDefaults().retryAfter(tt.n); d < tt.most/2 || d > tt.most {
				t.Errorf("%s: it waits %s, want %s to %s", tt.name, d, tt.most/2, tt.most)
			}
		}
	}
}

// TestReconnectAfter: kombu_reconnect_delay is the wait after a loss, unless
// losses follow one another.
func TestReconnectAfter(t *testing.T) {
	o := Options{ReconnectDelay: 4 * time.Second, RetryInterval: time.Second}.withDefaults()
	for range 100 {
		if d := o.reconnectAfter(time.Hour, 1); d < 2*time.Second || d > 4*time.Second {
			t.Errorf("after an hour it waits %s", d)
		}
		if d := o.reconnectAfter(time.Second, 1); d > time.Second {
			t.Errorf("after a second it waits %s", d)
		}
	}
	if d := (Options{}).withDefaults().reconnectAfter(time.Hour, 1); d != 0 {
		t.Errorf("without a delay it waits %s", d)
	}
}

// TestHostOrder tries hosts that refuse: each once a round, in the same order
// each time with round-robin, in another with shuffle.
func TestHostOrder(t *testing.T) {
	var brokers []Broker
	for i := range 8 {
		brokers = append(brokers, Broker{Host: fmt.Sprintf("127.0.0.%d", i+1), Port: 1})
	}
	order := func(o Options) (rounds [][]Broker) {
		o.Brokers = brokers
		d := newDialer(o.withDefaults())
		for range 5 {
			_, err := d.open(t.Context())
			if err == nil || strings.Count(err.Error(), "refused") != len(brokers) || !strings.HasPrefix(err.Error(), "127.0.0.1:1: ") {
				t.Fatalf("the error is %v", err)
			}
			rounds = append(rounds, slices.Concat(d.hosts[d.next:], d.hosts[:d.next]))
		}
		return rounds
	}
	differs := func(a, b []Broker) bool { return !slices.Equal(a, b) }
	robin := order(Options{})
	if i := slices.IndexFunc(robin, func(r []Broker) bool { return differs(r, robin[0]) }); i >= 0 {
		t.Errorf("round-robin: %v, then %v", robin[0], robin[i])
	}
	shuffled := order(Options{Shuffle: true})
	if !slices.ContainsFunc(shuffled, func(r []Broker) bool { return differs(r, shuffled[0]) }) {
		t.Errorf("shuffle: always %v", shuffled[0]) // by chance once in 8!⁴ runs
	}
}

// TestExplain checks that an error says what the broker or the network said, and
// is the same as long as the fault is.
func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&amqp.Error{Code: 320, Reason: "CONNECTION_FORCED - user 'cinder' is deleted", Server: true}, "CONNECTION_FORCED - user 'cinder' is deleted"},
		{&amqp.Error{Code: 501, Reason: "read tcp 127.0.0.1:41234->127.0.0.1:5672: read: connection reset by peer"}, "read: connection reset by peer"},
		{&amqp.Error{Code: 501, Reason: "EOF"}, "the broker closed it without a reason"},
		{errors.New("anything"), "anything"},
	} {
		if got := explain(tt.err).Error(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}
