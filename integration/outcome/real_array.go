package outcome

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// realSpeed is how many times faster the scenario runs on the real services: the arrays'
// clock and every interval of Cinder and poolcast.
const realSpeed = 5

// compressedClock is the clock of the arrays of a run: the machine's until begin, and then
// realSpeed times faster. So the samples of an array, and what they are of, are as old
// as in the scenario. Its methods may be called from any goroutine.
type compressedClock struct {
	mu     sync.Mutex
	start  time.Time     // zero: not begun
	offset time.Duration // until begin
}

func (c *compressedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.start.IsZero() {
		return now.Add(c.offset)
	}
	return c.start.Add(realSpeed * now.Sub(c.start))
}

// shift moves the clock, until begin.
func (c *compressedClock) shift(offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = offset
}

// begin starts the scenario at a time of the machine's clock.
func (c *compressedClock) begin(start time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start = start
}

// realArray serves an array at one address for all runs; each run has a new one.
//
// The Pure driver requests history by the clock of its host, with an end_time. Both times
// are moved by the difference of the clocks, so that the driver gets the hour before now.
// poolcast follows the clock of the array by the Date of its responses.
type realArray struct {
	server *httptest.Server

	mu    sync.Mutex
	array *simulator.Array
	clock *compressedClock
}

func newRealArray() *realArray {
	r := &realArray{}
	r.server = httptest.NewUnstartedServer(r)
	r.server.EnableHTTP2 = false
	r.server.StartTLS()
	return r
}

func (r *realArray) address() string { return r.server.Listener.Addr().String() }

func (r *realArray) replace(a *simulator.Array, c *compressedClock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.array, r.clock = a, c
}

func (r *realArray) current() (*simulator.Array, *compressedClock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.array, r.clock
}

// ServeHTTP responds as the array of the current run.
func (r *realArray) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	array, clock := r.current()
	if array == nil {
		http.Error(w, "there is no array yet", http.StatusServiceUnavailable)
		return
	}
	now := clock.now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if query := request.URL.Query(); query.Has("end_time") {
		moveTimes(query, time.Until(now))
		request.URL.RawQuery = query.Encode()
	}
	array.ServeHTTP(w, request)
}

// moveTimes adds a duration to the times of a query.
func moveTimes(query url.Values, by time.Duration) {
	for _, name := range []string{"start_time", "end_time"} {
		if millis, err := strconv.ParseInt(query.Get(name), 10, 64); err == nil {
			query.Set(name, strconv.FormatInt(millis+by.Milliseconds(), 10))
		}
	}
}

// call sends a request to an array without a network, and decodes the items.
func call(a *simulator.Array, method, path string, body any, items any) error {
	send := func(method, path string, body []byte, header http.Header) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, "/api/2.2/"+path, bytes.NewReader(body))
		request.Header = header
		recorder := httptest.NewRecorder()
		a.ServeHTTP(recorder, request)
		return recorder
	}
	login := send(http.MethodPost, "login", nil, http.Header{"Api-Token": {"simulated"}})
	session := http.Header{"X-Auth-Token": {login.Header().Get("X-Auth-Token")}}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", method, path, err)
	}
	response := send(method, path, text, session)
	send(http.MethodPost, "logout", nil, session)
	switch {
	case response.Code != http.StatusOK:
		return fmt.Errorf("%s %s at %s: status %d: %s", method, path, a.Name(), response.Code, response.Body)
	case items == nil:
		return nil
	}
	into := struct{ Items any }{items}
	if err := json.Unmarshal(response.Body.Bytes(), &into); err != nil {
		return fmt.Errorf("decode %s %s: %w", method, path, err)
	}
	return nil
}

// stateOf is the state of an array now, without the delay of history. Load is the share of
// queue time, which is the utilisation by the model.
func stateOf(a *simulator.Array) (State, error) {
	var performance []struct {
		Reads  float64 `json:"reads_per_sec"`
		Writes float64 `json:"writes_per_sec"`
		Read   float64 `json:"usec_per_read_op"`
		Write  float64 `json:"usec_per_write_op"`
		Queue  float64 `json:"queue_usec_per_write_op"`
	}
	var space []struct {
		Capacity float64
		Space    struct {
			Physical    float64 `json:"total_physical"`
			Provisioned float64 `json:"total_provisioned"`
		}
	}
	if err := call(a, http.MethodGet, "arrays/performance", nil, &performance); err != nil {
		return State{}, err
	}
	if err := call(a, http.MethodGet, "arrays/space", nil, &space); err != nil {
		return State{}, err
	}
	if len(performance) != 1 || len(space) != 1 {
		return State{}, fmt.Errorf("%s has %d samples of performance and %d of space", a.Name(), len(performance), len(space))
	}
	p, s := performance[0], space[0]
	state := State{
		Name: a.Name(), Used: s.Space.Physical / s.Capacity, Provisioned: s.Space.Provisioned / s.Capacity,
		Operations: p.Reads + p.Writes,
	}
	if p.Write > 0 {
		state.Load = p.Queue / p.Write
	}
	if state.Operations > 0 {
		state.Latency = (p.Reads*p.Read + p.Writes*p.Write) / state.Operations
	}
	return state, nil
}

// cinderID is the id in the name that the Pure driver gives a volume, volume-ID-cinder.
func cinderID(volume string) (id string, ok bool) {
	id, ok = strings.CutPrefix(volume, "volume-")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(id, "-cinder")
}
