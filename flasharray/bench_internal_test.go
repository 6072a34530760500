package flasharray

import (
	"net/http"
	"testing"
)

// BenchmarkSample is a reading without the network: what asking and decoding
// cost.
func BenchmarkSample(b *testing.B) {
	c := stubbed(b, stub{body: good, status: http.StatusOK})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Sample(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
