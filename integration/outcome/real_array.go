package outcome

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
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
	array *array
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

func (r *realArray) replace(a *array, c *compressedClock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.array, r.clock = a, c
}

func (r *realArray) current() (*array, *compressedClock) {
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

// cinderID is the id in the name that the Pure driver gives a volume, volume-ID-cinder.
func cinderID(volume string) (id string, ok bool) {
	id, ok = strings.CutPrefix(volume, "volume-")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(id, "-cinder")
}
