package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// BenchmarkWritable reads an array of 1,000 recorded and 2,000 created volumes.
func BenchmarkWritable(b *testing.B) {
	clock := newClock()
	a := simulator.New(fixture(b, "flasharray-x-01"), simulator.Options{
		Writable: true, Clock: clock.now, SessionIdle: -1, Population: simulator.Population{"volumes": {Live: 1000}},
	})
	token := loginDirect(b, a)
	for n := range 2000 {
		clock.advance(time.Second)
		r := httptest.NewRequest(http.MethodPost, fmt.Sprintf("/api/2.26/volumes?names=volume-%d", n), strings.NewReader(`{"provisioned": 1073741824}`))
		r.Header.Set("x-auth-token", token)
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
	hourAgo := clock.now().Add(-time.Hour).UnixMilli()
	for _, path := range []string{
		"arrays", "arrays/performance", fmt.Sprint("arrays/performance?resolution=30000&start_time=", hourAgo),
		fmt.Sprint("arrays/space?resolution=300000&start_time=", hourAgo), "volumes", "volumes?limit=0", "volumes/performance?total_only=true",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				clock.advance(time.Millisecond)
				r := httptest.NewRequest(http.MethodGet, "/api/2.26/"+path, nil)
				r.Header.Set("x-auth-token", token)
				w := httptest.NewRecorder()
				if a.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Body.String())
				}
			}
		})
	}
}
