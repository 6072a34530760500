package agent

import (
	"reflect"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
)

// TestNewIntervalsKeepThePublisher, with its session and what it has received.
func TestNewIntervalsKeepThePublisher(t *testing.T) {
	o := publisher.Options{Brokers: []publisher.Broker{{Host: "127.0.0.1"}}, Interval: time.Second}
	p, err := publisher.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &publisherRunner{options: o, now: p, reports: func() []capability.Report { return nil }}
	for _, change := range []struct {
		name  string
		apply func(*publisher.Options)
		stays bool
	}{
		{"intervals", func(o *publisher.Options) { o.Interval, o.StatsInterval = time.Minute, time.Hour }, true},
		{"overlay", func(o *publisher.Options) { o.Standalone = true }, false},
	} {
		next := o
		change.apply(&next)
		other, err := r.prepare(next)
		if err != nil || (other == nil) != change.stays {
			t.Fatalf("%s: got %p, %v", change.name, other, err)
		}
		r.use(other, next)
		if (r.publisher() == p) != change.stays || !reflect.DeepEqual(r.options, next) {
			t.Errorf("%s: the publisher has %+v", change.name, r.options)
		}
	}
}
