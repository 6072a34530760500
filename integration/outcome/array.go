package outcome

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

const (
	recording  = "flasharray-x-01" // what an empty array is made of
	resolution = 30 * time.Second  // of the samples that cinder-volume and poolcast read
	history    = time.Hour         // of which the driver takes the first sample
)

// array is a simulated array with a session.
type array struct {
	*simulator.Array
	prefix  string // of the paths
	session string
}

// newArray makes an empty array with the limits of the comparison.
func newArray(name string, clock func() time.Time, order simulator.Order, workload func(string, int64) (simulator.Workload, bool)) (*array, error) {
	fixture, err := simulator.BuiltinNamed(recording)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	a := &array{
		prefix: "/api/" + fixture.Versions[len(fixture.Versions)-1] + "/",
		Array: simulator.New(fixture.Empty().As(name), simulator.Options{
			Clock: clock, Writable: true, SessionIdle: -1, History: simulator.History{Order: order},
			Model: simulator.Model{Limit: Limit, ReadService: ReadService, WriteService: WriteService, Workload: workload},
		}),
	}
	r := httptest.NewRequest(http.MethodPost, a.prefix+"login", http.NoBody)
	r.Header.Set("api-token", "outcome")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	a.session = w.Header().Get("x-auth-token")
	if a.session == "" {
		return nil, fmt.Errorf("log in to %s: %s", name, w.Body)
	}
	return a, nil
}

// request sends one request and decodes the items of the response.
func (a *array) request(method, path, body string, items any) error {
	r := httptest.NewRequest(method, a.prefix+path, strings.NewReader(body))
	r.Header.Set("x-auth-token", a.session)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Errorf("%s %s of %s: %d %s", method, path, a.Name(), w.Code, strings.TrimSpace(w.Body.String()))
	}
	if items == nil {
		return nil
	}
	if err := json.Unmarshal(w.Body.Bytes(), &struct{ Items any }{items}); err != nil {
		return fmt.Errorf("decode %s of %s: %w", path, a.Name(), err)
	}
	return nil
}

// create and destroy are what the driver requests for a volume. A destroyed volume
// keeps its space until it is eradicated, a day later.
func (a *array) create(name string, gib int64) error {
	return a.request(http.MethodPost, "volumes?names="+name, fmt.Sprintf(`{"provisioned":%d}`, gib<<30), nil)
}

func (a *array) destroy(name string) error {
	return a.request(http.MethodPatch, "volumes?names="+name, `{"destroyed":true}`, nil)
}

// spaceItem is an item of arrays/space.
type spaceItem struct {
	Capacity int64
	Space    struct {
		TotalPhysical    int64    `json:"total_physical"`
		TotalProvisioned int64    `json:"total_provisioned"`
		DataReduction    *float64 `json:"data_reduction"`
		TotalReduction   *float64 `json:"total_reduction"`
	}
}

// performanceItem is an item of arrays/performance.
type performanceItem struct {
	Time        int64
	Reads       int64 `json:"reads_per_sec"`
	Writes      int64 `json:"writes_per_sec"`
	ReadBytes   int64 `json:"read_bytes_per_sec"`
	WriteBytes  int64 `json:"write_bytes_per_sec"`
	ReadUsec    int64 `json:"usec_per_read_op"`
	WriteUsec   int64 `json:"usec_per_write_op"`
	ReadQueued  int64 `json:"queue_usec_per_read_op"`
	WriteQueued int64 `json:"queue_usec_per_write_op"`
	Mirrored    int64 `json:"queue_usec_per_mirrored_write_op"`
	Depth       int64 `json:"queue_depth"`
}

func (p performanceItem) capability(now time.Time) *capability.Performance {
	at := time.UnixMilli(p.Time)
	return &capability.Performance{
		Time: at, Age: max(now.Sub(at), 0), Resolution: resolution,
		ReadsPerSec: &p.Reads, WritesPerSec: &p.Writes, ReadBytesPerSec: &p.ReadBytes, WriteBytesPerSec: &p.WriteBytes,
		UsecPerRead: &p.ReadUsec, UsecPerWrite: &p.WriteUsec, QueueUsecPerRead: &p.ReadQueued,
		QueueUsecPerWrite: &p.WriteQueued, QueueUsecPerMirroredWrite: &p.Mirrored, QueueDepth: &p.Depth,
	}
}

// sample reads what cinder-volume and poolcast read. The time of the performance
// sample is the first one after a time before now.
func (a *array) sample(now time.Time, before time.Duration) (capability.Sample, error) {
	s := capability.Sample{CollectedAt: now, Identity: capability.Identity{ID: a.ID(), Name: a.Name()}}
	var spaces []spaceItem
	if err := a.request(http.MethodGet, "arrays/space", "", &spaces); err != nil {
		return s, err
	}
	x := &spaces[0]
	s.Space = &capability.Space{
		Capacity: &x.Capacity, TotalPhysical: &x.Space.TotalPhysical, TotalProvisioned: &x.Space.TotalProvisioned,
		DataReduction: x.Space.DataReduction, TotalReduction: x.Space.TotalReduction,
	}
	start := now.Add(-before).UnixMilli()
	var items []performanceItem
	path := fmt.Sprintf("arrays/performance?resolution=%d&start_time=%d&end_time=%d",
		resolution.Milliseconds(), start, start+resolution.Milliseconds())
	if err := a.request(http.MethodGet, path, "", &items); err != nil {
		return s, err
	}
	if len(items) > 0 {
		s.Performance = items[0].capability(now)
	}
	return s, nil
}

// state is that of the array now, without the delay of history. Load is the share of
// queue time, which is the utilisation by the model.
func (a *array) state() (State, error) {
	var spaces []spaceItem
	var items []performanceItem
	if err := a.request(http.MethodGet, "arrays/space", "", &spaces); err != nil {
		return State{}, err
	}
	if err := a.request(http.MethodGet, "arrays/performance", "", &items); err != nil {
		return State{}, err
	}
	x, p := spaces[0], items[0]
	s := State{
		Name: a.Name(), Operations: float64(p.Reads + p.Writes),
		Used:        float64(x.Space.TotalPhysical) / float64(x.Capacity),
		Provisioned: float64(x.Space.TotalProvisioned) / float64(x.Capacity),
	}
	if s.Operations > 0 {
		usec := float64(p.Reads*p.ReadUsec + p.Writes*p.WriteUsec)
		s.Latency = usec / s.Operations
		s.Load = float64(p.Reads*p.ReadQueued+p.Writes*p.WriteQueued) / usec
	}
	return s, nil
}

func (v Volume) name() string { return fmt.Sprintf("volume-%d", v.Number) }
