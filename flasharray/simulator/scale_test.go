package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// manyObjects is the size at which a poll must stay cheap.
var manyObjects = simulator.Population{
	"volumes":          {Live: 20_000, Destroyed: 300},
	"volume-snapshots": {Live: 100_000, Destroyed: 2_000},
}

func TestManyObjectsCountsAndPages(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Population: manyObjects})
	for query, want := range map[string]int{
		"volumes?limit=0":                                                   20_300,
		"volumes?limit=0&destroyed=false":                                   20_000,
		"volumes?limit=0&destroyed=true":                                    300,
		"volume-snapshots?limit=0":                                          102_000,
		"volume-snapshots?limit=0&destroyed=false":                          100_000,
		"volumes?limit=0&filter=destroyed=false%20and%20connection_count=0": 2_000,
		"volumes?limit=0&filter=created%3C%272023-11-15T00:00:00Z%27":       107,
	} {
		if p := l.get(query); p.Count == nil || *p.Count != want || len(p.Items) != 0 {
			t.Errorf("%s counts %v with %d items, want %d with none", query, *p.Count, len(p.Items), want)
		}
	}
	last := l.get("volume-snapshots?offset=101999&total_item_count=true")
	if len(last.Items) != 1 || *last.More || *last.Count != 102_000 {
		t.Errorf("the last page has %d items, more: %v", len(last.Items), *last.More)
	}
}

func TestManyObjectsFoundByName(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Population: manyObjects})
	for _, path := range []string{"volumes", "volume-snapshots", "protection-groups"} {
		for _, offset := range []int{0, 1, 7} {
			want := l.get(fmt.Sprintf("%s?limit=1&offset=%d", path, offset)).Items[0]
			for _, q := range []string{
				"names=" + want["name"].(string), "names=" + strings.ToUpper(want["name"].(string)), "ids=" + want["id"].(string),
			} {
				p := l.get(path + "?" + q)
				if len(p.Items) != 1 || p.Items[0]["name"] != want["name"] || p.Items[0]["id"] != want["id"] {
					t.Errorf("%s?%s finds %v", path, q, p.Items)
				}
			}
		}
	}
}

func BenchmarkManyObjects(b *testing.B) {
	for _, path := range []string{
		"volumes?limit=0&total_item_count=true", "volume-snapshots?limit=0", "volumes", "volume-snapshots?offset=50000",
		"volumes?filter=name=%27nobody%27", "volume-snapshots?filter=source.name=%27nobody%27", "volumes?sort=provisioned-&limit=1",
		"volumes/performance?total_only=true", "arrays/performance?resolution=30000&start_time=1",
	} {
		b.Run(path, func(b *testing.B) {
			a := simulator.New(fixture(b, "flasharray-x-01"), simulator.Options{Population: manyObjects})
			token := loginDirect(b, a)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/api/2.26/"+path, nil)
				r.Header.Set("x-auth-token", token)
				w := httptest.NewRecorder()
				a.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body.String())
				}
			}
		})
	}
}

func loginDirect(t testing.TB, a *simulator.Array) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/2.26/login", nil)
	r.Header.Set("api-token", "any")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Header().Get("x-auth-token")
}

func serveDirect(t testing.TB, a *simulator.Array, path, query, token string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/api/2.26/"+path, nil)
	r.URL.RawQuery = query
	r.Header.Set("x-auth-token", token)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}
