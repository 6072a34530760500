package cindertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// Volume sends a report when the test asks for it.
type Volume struct {
	t       testing.TB
	channel *amqp.Channel
}

// StartVolume connects to a broker until the test ends.
func StartVolume(t testing.TB, url string) *Volume {
	t.Helper()
	return &Volume{t: t, channel: rabbitmq.Channel(t, rabbitmq.Dial(t, url))}
}

// Report sends the report of a backend.
func (v *Volume) Report(host string, capabilities capability.Set) {
	v.t.Helper()
	message, err := encode(host, capabilities)
	if err == nil {
		err = v.channel.PublishWithContext(v.t.Context(), FanoutExchange, "", false, false, message)
	}
	if err != nil {
		v.t.Fatalf("report %s: %v", host, err)
	}
}

// DriverReports are what cinder-volume reports of arrays, by host: all that
// poolcast reports but the keys that it adds.
func DriverReports(reports []capability.Report) map[string]capability.Set {
	sets, added := map[string]capability.Set{}, map[string]bool{}
	for _, k := range capability.Keys() {
		added[k.Name] = !k.Driver && k.Name != capability.KeyCacheable
	}
	for _, r := range reports {
		set := capability.Set{capability.KeyAllocatedCapacity: capability.OfInt(0)}
		for name, v := range r.Capabilities {
			if !added[name] {
				set[name] = v
			}
		}
		sets[r.Host] = set
	}
	return sets
}

// encode makes a report into a message as oslo.messaging sends it.
func encode(host string, capabilities capability.Set) (amqp.Publishing, error) {
	inner, err := json.Marshal(map[string]any{
		"method": "update_service_capabilities", "version": "3.3", "_unique_id": messageID(),
		"args": map[string]any{
			"service_name": "volume", "host": host, "cluster_name": nil, "capabilities": capabilities,
			"timestamp": time.Now().UTC().Format(timeFormat),
		},
	})
	if err != nil {
		return amqp.Publishing{}, fmt.Errorf("encode report of %s: %w", host, err)
	}
	body, err := json.Marshal(map[string]string{"oslo.version": "2.0", "oslo.message": string(inner)})
	return amqp.Publishing{
		ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent, Body: body,
	}, err
}

// messageID is an ID as oslo.messaging makes one, with uuid4.
func messageID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return hex.EncodeToString(b[:])
}

// confirmTimeout is how long a Service waits for a confirmation before it closes
// the connection: longer than the loss of a node takes to be noticed.
const confirmTimeout = 60 * time.Second

// Service reports its backends at an interval, waits for the confirmation of each
// report, and counts the results. It connects again when the connection fails.
type Service struct {
	reports map[string]capability.Set // by host
	stop    func()

	mu    sync.Mutex
	tally Tally
}

// Tally counts reports. Sent are those that the broker has not lost with their
// connection.
type Tally struct {
	Sent, Acked, Nacked int
	Longest             time.Duration // that a confirmation took
	Err                 error         // why the last connection ended
}

// StartService reports until the test ends: at once, and then at each interval.
func StartService(t testing.TB, url string, interval time.Duration, reports map[string]capability.Set) *Service {
	t.Helper()
	s := &Service{reports: reports}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for ctx.Err() == nil {
			err := s.connect(ctx, url, tick.C)
			s.update(func(c *Tally) { c.Err = err })
		}
	}()
	s.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(s.stop)
	return s
}

// connect reports over one connection until that fails, and returns at the next
// tick.
func (s *Service) connect(ctx context.Context, url string, tick <-chan time.Time) error {
	conn, err := amqp.DialConfig(url, amqp.Config{Dial: amqp.DefaultDial(5 * time.Second), Heartbeat: 10 * time.Second})
	if err == nil {
		defer func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) }()
		err = s.publish(ctx, conn, tick)
	}
	select {
	case <-ctx.Done():
	case <-tick:
	}
	return err
}

func (s *Service) publish(ctx context.Context, conn *amqp.Connection, tick <-chan time.Time) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	for {
		for host, capabilities := range s.reports {
			if err := s.report(ctx, ch, host, capabilities); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
	}
}

// report sends one report and waits for its confirmation.
func (s *Service) report(ctx context.Context, ch *amqp.Channel, host string, capabilities capability.Set) error {
	message, err := encode(host, capabilities)
	if err != nil {
		return err
	}
	begun := time.Now()
	confirmation, err := ch.PublishWithDeferredConfirm(FanoutExchange, "", false, false, message)
	if err != nil {
		return err
	}
	s.update(func(c *Tally) { c.Sent++ })
	bounded, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	acked, err := confirmation.WaitContext(bounded)
	switch {
	case ctx.Err() != nil:
		s.update(func(c *Tally) { c.Sent-- }) // the service is stopped
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("no confirmation within %s", confirmTimeout)
	case ch.IsClosed():
		return errors.New("the channel was closed")
	}
	s.update(func(c *Tally) {
		c.Longest = max(c.Longest, time.Since(begun))
		if acked {
			c.Acked++
		} else {
			c.Nacked++
		}
	})
	return nil
}

// Count returns the results of the reports since another tally was taken.
func (s *Service) Count(since Tally) Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.tally
	c.Sent, c.Acked, c.Nacked = c.Sent-since.Sent, c.Acked-since.Acked, c.Nacked-since.Nacked
	return c
}

func (s *Service) update(change func(*Tally)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.tally)
}
