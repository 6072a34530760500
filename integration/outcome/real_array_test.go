package outcome

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestRealArrayHistory requests history as the driver does, by the clock of its host, from
// an array whose clock is five times as fast. It gets the samples of the hour before now,
// by the clock of the array, and the initial volumes are in the oldest.
func TestRealArrayHistory(t *testing.T) {
	a := &realArm{arm: StockOldest, scenario: Confirmation(), arrays: map[string]*realArray{}}
	for _, array := range a.scenario.Arrays {
		a.arrays[array.Name] = newRealArray()
		t.Cleanup(a.arrays[array.Name].server.Close)
	}
	a.replaceArrays(t, 1)
	checkHistory(t, a)
	a.clock.begin(time.Now().Add(-time.Minute)) // 4 minutes ahead from here on
	checkHistory(t, a)
}

func checkHistory(t *testing.T, a *realArm) {
	t.Helper()
	served := a.arrays["array-1"]
	login, err := http.NewRequestWithContext(t.Context(), http.MethodPost, served.server.URL+"/api/2.2/login", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	login.Header.Set("Api-Token", "simulated")
	session := respond(t, served, login, nil).Get("X-Auth-Token")
	now := time.Now()
	path := fmt.Sprintf("/api/2.2/arrays/performance?resolution=30000&start_time=%d&end_time=%d", now.Add(-time.Hour).UnixMilli(), now.UnixMilli())
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, served.server.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	get.Header.Set("X-Auth-Token", session)
	var body struct {
		Items []struct {
			Time  int64
			Reads int64 `json:"reads_per_sec"`
		}
	}
	header := respond(t, served, get, &body)
	arrayNow := a.clock.now()
	if n := len(body.Items); n < 119 || n > 121 {
		t.Fatalf("there are %d samples of an hour", n)
	}
	if age := arrayNow.Sub(time.UnixMilli(body.Items[0].Time)); age < 59*time.Minute || age > 61*time.Minute {
		t.Errorf("the first sample is %v old, by the clock of the array", age)
	}
	if body.Items[0].Reads == 0 {
		t.Error("the initial volumes are not in the oldest sample")
	}
	if date, err := http.ParseTime(header.Get("Date")); err != nil || arrayNow.Sub(date).Abs() > 10*time.Second {
		t.Errorf("Date is %q, and the clock of the array %v", header.Get("Date"), arrayNow)
	}
}

// respond sends a request to an array and decodes the response.
func respond(t *testing.T, served *realArray, r *http.Request, into any) http.Header {
	t.Helper()
	response, err := served.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s responds with status %d", r.URL, response.StatusCode)
	}
	if into != nil {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return response.Header
}

func TestRefusingFilterInLog(t *testing.T) {
	const log = `INFO cinder.scheduler.base_filter [-] Filtering removed all hosts for the request with volume ID 'a-1'. Filter results: AvailabilityZoneFilter: (start: 3, end: 3), CapacityFilter: (start: 3, end: 1), CapabilitiesFilter: (start: 1, end: 0)
INFO cinder.scheduler.base_filter [-] Filtering removed all hosts for the request with volume ID 'a-2'. Filter results: AvailabilityZoneFilter: (start: 3, end: 0)
`
	for id, want := range map[string]string{"a-1": "CapabilitiesFilter", "a-2": "AvailabilityZoneFilter", "a-3": "unknown"} {
		if got := refusingFilter(log, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestDistribution(t *testing.T) {
	for want, values := range map[string][]float64{"": nil, "2 / 2 / 2": {2}, "1 / 2.5 / 4": {4, 1, 3, 2}, "1 / 3 / 5": {5, 3, 1, 2, 4}} {
		if got := distribution(values); got != want {
			t.Errorf("%v: %q, want %q", values, got, want)
		}
	}
}
