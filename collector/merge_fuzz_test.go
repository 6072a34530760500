package collector

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// FuzzMerge checks that every report can be encoded as JSON, and that each of its
// keys was measured or declared.
func FuzzMerge(f *testing.F) {
	f.Add(int64(1), int64(2), 1.5, `{"a": 1}`, "avg_latency_ms", uint16(0))
	f.Add(int64(math.MinInt64), int64(math.MaxInt64), math.Inf(1), `{"cacheable": null}`, "dedupe_ratio", uint16(0xffff))
	f.Add(int64(0), int64(-1), math.NaN(), `{"storage_protocol": [1]}`, "total_volumes", uint16(7))
	f.Fuzz(func(t *testing.T, a, b int64, ratio float64, extra, live string, missing uint16) {
		tgt := target("fa1", nil)
		tgt.Stanza.Extra, _ = capability.ParseSet([]byte(extra))
		tgt.Stanza.Live = []string{live}
		tgt.Stanza.AutomaticOverSubscription = missing&1 == 0
		r := Merge(incomplete(a, b, ratio, missing), tgt)
		text, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var back capability.Report
		if err := back.UnmarshalJSON(text); err != nil || !back.Capabilities.Equal(r.Capabilities) {
			t.Fatalf("%s does not read back: %v", text, err)
		}
		for key := range r.Capabilities {
			_, described := capability.LookupKey(key)
			if _, declared := tgt.Stanza.Extra[key]; !described && !declared {
				t.Fatalf("%s is neither described nor declared", key)
			}
		}
		if load, ok := r.Capabilities[capability.KeyLoadPercent].Int(); ok && r.IsLive(capability.KeyLoadPercent) && (load < 0 || load > 100) {
			t.Fatalf("load is %d %%", load)
		}
		for key := range r.Live() {
			if k, _ := capability.LookupKey(key); k.Origin != capability.FromArray && k.Origin != capability.FromAgent {
				t.Fatalf("%s would replace a key of the base report", key)
			}
		}
	})
}

// incomplete is a sample with unusual numbers, and without the parts in missing.
func incomplete(a, b int64, ratio float64, missing uint16) capability.Sample {
	s := sample()
	s.Space = &capability.Space{Capacity: &a, TotalUsed: &b, UsedProvisioned: &a, DataReduction: &ratio, TotalReduction: &ratio}
	s.Counts = capability.Counts{Volumes: &a, Hosts: &b}
	p := s.Performance
	p.ReadsPerSec, p.WritesPerSec, p.MirroredWritesPerSec = &a, &b, &a
	p.UsecPerRead, p.QueueUsecPerWrite = &b, &a
	p.Age = time.Duration(a)
	for i, remove := range []func(){
		func() {}, func() { s.Space = nil }, func() { s.Performance = nil }, func() { s.Links = nil },
		func() { p.ReadsPerSec = nil }, func() { p.UsecPerRead = nil }, func() { p.QueueUsecPerWrite = nil },
		func() { s.Identity.Model = "" }, func() { s.Faults = []capability.Fault{{Part: "x", Err: errors.New("y")}} },
		func() { s.Counts.Volumes = nil }, func() { p.MirroredWritesPerSec = nil },
	} {
		if missing>>i&1 == 1 {
			remove()
		}
	}
	return s
}

func BenchmarkMerge(b *testing.B) {
	s, tgt := sample(), target("fa1", nil)
	tgt.Stanza.Extra, _ = capability.ParseSet([]byte(`{"tier": "gold", "array_model": "FA-X50R4", "avg_latency_ms": 0.35}`))
	tgt.Stanza.Live = []string{capability.KeyAvgLatency}
	b.ReportAllocs()
	for b.Loop() {
		if r := Merge(s, tgt); len(r.Capabilities) < 40 {
			b.Fatal("keys are missing")
		}
	}
}
