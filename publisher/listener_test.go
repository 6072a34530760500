package publisher

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestRedeliveredMessagesOfAQueueAreOld(t *testing.T) {
	for _, mode := range []ListenMode{ListenExclusive, ListenQuorum, ListenStream} {
		l := &listener{mode: mode}
		if l.isOld(amqp.Delivery{}) {
			t.Errorf("%s: a first delivery is old", mode)
		}
		if got := l.isOld(amqp.Delivery{Redelivered: true}); got != (mode == ListenQuorum) {
			t.Errorf("%s: redelivered is old: %t", mode, got)
		}
	}
}
