//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// listener stands where a scheduler would and remembers every report. It costs
// a fraction of a real one, and unlike a real one it remembers what was said
// before the last report.
type listener struct {
	t *testing.T

	mu      sync.Mutex
	reports []receivedReport
}

// receivedReport is a report as it was on the bus.
type receivedReport struct {
	host         string
	capabilities capability.Set
	stamp        time.Time
	at           time.Time
}

// listen declares what a scheduler of Cinder declares and consumes it.
func listen(t *testing.T, broker *rabbitmq.Broker) *listener {
	t.Helper()
	l := &listener{t: t}
	l.connect(broker)
	return l
}

// connect listens on a broker, once more after it was stopped.
func (l *listener) connect(broker *rabbitmq.Broker) {
	t := l.t
	t.Helper()
	const fanout = "cinder-scheduler_fanout"
	c, err := amqp091.Dial(broker.URL())
	if err != nil {
		t.Fatal(err)
	}
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	topic, err := ch.QueueDeclare("cinder-scheduler", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ch.QueueDeclare("cinder-scheduler_fanout_listener", false, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare(fanout, "fanout", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(own.Name, fanout, fanout, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Consume(topic.Name, "", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	heard, err := ch.Consume(own.Name, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for d := range heard {
			l.receive(d.Body)
		}
	})
	t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, amqp091.ErrClosed) {
			t.Errorf("close the listener: %v", err)
		}
		done.Wait()
	})
}

// hear takes the envelope apart by hand, so that it is not publisher's own idea
// of it that decides.
func (l *listener) receive(body []byte) {
	var envelope struct {
		Message string `json:"oslo.message"`
	}
	var message struct {
		Method string `json:"method"`
		Args   struct {
			Host         string         `json:"host"`
			Capabilities capability.Set `json:"capabilities"`
			Timestamp    string         `json:"timestamp"`
		} `json:"args"`
	}
	at := time.Now()
	err := json.Unmarshal(body, &envelope)
	if err == nil {
		err = json.Unmarshal([]byte(envelope.Message), &message)
	}
	if err != nil || message.Method != "update_service_capabilities" {
		l.t.Errorf("not a report: %v\n%s", err, body)
		return
	}
	stamp, err := time.Parse("2006-01-02T15:04:05.000000", message.Args.Timestamp)
	if err != nil {
		l.t.Errorf("the report's timestamp: %v", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports = append(l.reports, receivedReport{host: message.Args.Host, capabilities: message.Args.Capabilities, stamp: stamp, at: at})
}

// heard are all reports of a backend so far.
func (l *listener) received(host string) []receivedReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.reports), func(r receivedReport) bool { return r.host != host })
}

// await waits for a report of a backend that was sent after an instant and is
// as it should be.
func (l *listener) await(host string, since time.Time, within time.Duration, wrong func(capability.Set) error) {
	l.t.Helper()
	process.Await(l.t, within, "a report of "+host, func() error {
		err := fmt.Errorf("none was sent")
		for _, r := range l.received(host) {
			if r.at.Before(since) {
				continue
			}
			if err = wrong(r.capabilities); err == nil {
				return nil
			}
		}
		return err
	})
}

// overlays are the reports of a backend that an agent has published.
func (l *listener) overlays(host string) []receivedReport {
	var found []receivedReport
	for _, r := range l.received(host) {
		if has(r.capabilities, capability.KeyMetricsAgent) {
			found = append(found, r)
		}
	}
	return found
}

// checkStamps fails the test where an overlay is not stamped right after a report
// of cinder-volume, and later than the overlays of that report before it.
func (l *listener) checkStamps(t *testing.T, host string) {
	t.Helper()
	var bases, latest []time.Time // the stamps of reports, and of the last overlay of each
	for _, r := range l.received(host) {
		if !has(r.capabilities, capability.KeyMetricsAgent) {
			bases, latest = append(bases, r.stamp), append(latest, r.stamp)
			continue
		}
		i := slices.IndexFunc(bases, func(base time.Time) bool {
			return r.stamp.After(base) && r.stamp.Sub(base) < time.Millisecond
		})
		switch {
		case i < 0:
			t.Errorf("%s: an overlay stamped %v does not follow a report of cinder-volume", host, r.stamp)
		case !r.stamp.After(latest[i]):
			t.Errorf("%s: an overlay stamped %v follows one stamped %v", host, r.stamp, latest[i])
		default:
			latest[i] = r.stamp
		}
	}
}
