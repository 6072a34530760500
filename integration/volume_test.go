//go:build integration || bench

package integration

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
)

// reportPeriod is how often the stand-in of cinder-volume reports: more often
// than cinder-volume, so that tests wait less.
const reportPeriod = 2 * time.Second

// volumeService stands in for the cinder-volume of a cloud: it reports each
// backend again and again, whatever happens to the broker.
type volumeService struct {
	url     string                    // of the broker
	period  time.Duration             // from one report of a backend to the next
	reports map[string]capability.Set // by host
}

// newVolumeService has a report of each backend that the program can read, and
// does not send it by itself.
func newVolumeService(url string, reports []capability.Report) *volumeService {
	v := &volumeService{url: url, period: reportPeriod, reports: map[string]capability.Set{}}
	for _, r := range reports {
		v.reports[r.Host] = driverReport(r)
	}
	return v
}

// start reports until the test ends.
func (v *volumeService) start(t *testing.T) {
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { v.run(stop) })
	t.Cleanup(func() { close(stop); running.Wait() })
}

// driverReport is what cinder-volume reports of an array: all but the keys that
// poolcast adds.
func driverReport(r capability.Report) capability.Set {
	set := capability.Set{capability.KeyAllocatedCapacity: capability.OfInt(0)}
	for name, v := range r.Capabilities {
		if k, known := capability.LookupKey(name); !known || k.Driver || name == capability.KeyCacheable {
			set[name] = v
		}
	}
	return set
}

// run reports until it is stopped. It connects again when the connection fails.
func (v *volumeService) run(stop <-chan struct{}) {
	tick := time.NewTicker(v.period)
	defer tick.Stop()
	var conn *amqp091.Connection
	for {
		if conn == nil || conn.IsClosed() {
			conn, _ = amqp091.DialConfig(v.url, amqp091.Config{Dial: amqp091.DefaultDial(2 * time.Second)})
		}
		if conn != nil && !conn.IsClosed() {
			v.reportAll(conn)
		}
		select {
		case <-stop:
			if conn != nil {
				_ = conn.CloseDeadline(time.Now().Add(time.Second))
			}
			return
		case <-tick.C:
		}
	}
}

// reportAll casts a report of each backend. Without an exchange there is no
// scheduler to report to.
func (v *volumeService) reportAll(conn *amqp091.Connection) {
	ch, err := conn.Channel()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }()
	for host, set := range v.reports {
		body, err := castBody(host, set)
		if err != nil {
			return
		}
		if ch.Publish("cinder-scheduler_fanout", "", false, false, amqp091.Publishing{
			ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp091.Persistent, Body: body,
		}) != nil {
			return
		}
	}
}

// castBody is the message that oslo.messaging makes of a report.
func castBody(host string, set capability.Set) ([]byte, error) {
	inner, err := json.Marshal(map[string]any{
		"method": "update_service_capabilities", "version": "3.3", "_unique_id": messageID(),
		"args": map[string]any{
			"service_name": "volume", "host": host, "cluster_name": nil, "capabilities": set,
			"timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000000"),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode report of %s: %w", host, err)
	}
	return json.Marshal(map[string]string{"oslo.version": "2.0", "oslo.message": string(inner)})
}

// messageID is an ID as oslo.messaging makes one, with uuid4.
func messageID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return hex.EncodeToString(b[:])
}
