package flasharray

import (
	"net/http"
	"testing"
)

// BenchmarkSample measures a sample without the network.
func BenchmarkSample(b *testing.B) {
	c := stubbed(b, stub{body: good, status: http.StatusOK})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Sample(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
