package publisher

import (
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// BenchmarkHear is what every report on the exchange costs an agent, whether it
// is of one of its own backends or of somebody else's.
func BenchmarkHear(b *testing.B) {
	body, err := Encode(Message{Method: UpdateCapabilities, Host: fa1, Capabilities: wide(), Timestamp: time.Now(), ID: "x"})
	if err != nil {
		b.Fatal(err)
	}
	for name, host := range map[string]string{"ours": fa1, "other": "ctl2@fa2"} {
		b.Run(name, func(b *testing.B) {
			p := newPublisher(Options{}.withDefaults(), nil)
			p.known(host, "")
			b.ReportAllocs()
			for b.Loop() {
				p.hear(body)
			}
		})
	}
}

// BenchmarkOverlay is what it costs to make one message.
func BenchmarkOverlay(b *testing.B) {
	r := reading(42, 1000)
	over := backend{report: r, base: &base{set: wide()}, now: decision{state: Overlaying}}
	b.ReportAllocs()
	for b.Loop() {
		set, _ := over.compose(r.CollectedAt, false)
		if _, err := Encode(Message{Method: UpdateCapabilities, Host: fa1, Capabilities: set, Timestamp: r.CollectedAt, ID: "x"}); err != nil {
			b.Fatal(err)
		}
	}
}

// wide is a set with as many keys as the Pure driver reports.
func wide() capability.Set {
	set := reading(1, 1000).Capabilities.Clone()
	for _, k := range capability.Keys() {
		if _, there := set[k.Name]; !there {
			set[k.Name] = capability.OfInt(12345)
		}
	}
	delete(set, capability.KeyMetricsAgent)
	return set
}
