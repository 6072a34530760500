package publisher

import (
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// BenchmarkReceive is what every report on the exchange costs an agent, whether it
// is of one of its own backends or of another host.
func BenchmarkReceive(b *testing.B) {
	body, err := encode(message{method: updateCapabilities, host: fa1, set: wide(), stamp: time.Now(), id: "0123456789ab4cdea000000000000000"})
	if err != nil {
		b.Fatal(err)
	}
	for name, host := range map[string]string{"ours": fa1, "other": "ctl2@fa2"} {
		b.Run(name, func(b *testing.B) {
			p := newPublisher(Options{}.withDefaults(), nil)
			p.backend(host, "")
			b.ReportAllocs()
			for b.Loop() {
				p.onMessage(body)
			}
		})
	}
}

// BenchmarkOverlay is what it costs to make one message.
func BenchmarkOverlay(b *testing.B) {
	r := newSample(42, 1000)
	b.ReportAllocs()
	over := backend{report: r}
	d := decision{state: Overlaying, base: &base{set: wide()}}
	for b.Loop() {
		m := over.payload(d, r.CollectedAt, false)
		if _, err := encode(message{method: updateCapabilities, host: fa1, set: m.set, stamp: m.stamp, id: "x"}); err != nil {
			b.Fatal(err)
		}
	}
}

// wide is a set with as many keys as the Pure driver reports.
func wide() capability.Set {
	set := newSample(1, 1000).Capabilities.Clone()
	for _, k := range capability.Keys() {
		if _, there := set[k.Name]; !there {
			set[k.Name] = capability.OfInt(12345)
		}
	}
	delete(set, capability.KeyMetricsAgent)
	return set
}
