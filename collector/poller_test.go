package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

func TestScheduleFirstPollIsSoonAndNoDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &fakeSource{onSample: func(_ context.Context, poll int) (capability.Sample, error) {
			time.Sleep(time.Duration(poll%9) * time.Second) // slow and uneven
			return sample(), nil
		}}
		start := time.Now()
		_, stop := collect(t, Options{}, target("fa1", a))
		time.Sleep(6 * time.Hour)
		stop()

		polls := a.polls()
		if wait := polls[0].Sub(start); wait >= firstSpread {
			t.Errorf("the first poll came after %s", wait)
		}
		if gap := polls[1].Sub(polls[0]); gap < 30*time.Second || gap > 90*time.Second {
			t.Errorf("the second poll came after %s", gap)
		}
		for i := 2; i < len(polls); i++ {
			if gap := polls[i].Sub(polls[i-1]); gap != time.Minute {
				t.Fatalf("poll %d came %s after the one before", i, gap)
			}
		}
		if n := len(polls); n < 359 || n > 361 {
			t.Errorf("%d polls in six hours", n)
		}
	})
}

func TestScheduleSpreadsArrays(t *testing.T) {
	const arrays, interval = 1000, time.Minute
	var tenths [10]int
	for i := range arrays {
		s := newSchedule(fmt.Sprintf("ctl%d@flasharray_x_%02d", i%7, i), interval)
		tenths[s.offset*10/interval]++
		if s.spread >= firstSpread {
			t.Fatalf("array %d waits %s at the start", i, s.spread)
		}
	}
	for i, n := range tenths {
		if n < arrays/20 || n > arrays/5 {
			t.Errorf("tenth %d of the interval has %d of %d polls", i, n, arrays)
		}
	}
}

func TestScheduleSlotsAreStable(t *testing.T) {
	s := newSchedule("ctl1@fa1", 15*time.Second)
	at := time.Date(2025, 3, 30, 0, 59, 59, 0, time.UTC)
	for range 100 {
		next := s.after(at)
		if gap := next.Sub(at); gap <= s.interval/2 || gap > s.interval*3/2 {
			t.Fatalf("slot %s after %s", gap, at)
		}
		if off := time.Duration(next.UnixNano() % int64(s.interval)); off != s.offset {
			t.Fatalf("slot at %s instead of %s", off, s.offset)
		}
		at = at.Add(7*time.Second + 123456789)
	}
	if next := s.after(time.Unix(-1000, 0)); next.Before(time.Unix(-1000, 0)) {
		t.Error("a clock before 1970 gives a slot in the past")
	}
}

// TestPollSkippedWhileAnotherRuns uses a Source that ignores its deadline: it is
// not polled a second time meanwhile, and other arrays are not delayed.
func TestPollSkippedWhileAnotherRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := &fakeSource{onSample: func(_ context.Context, poll int) (capability.Sample, error) {
			if poll == 2 {
				time.Sleep(10 * time.Minute)
			}
			return sample(), nil
		}}
		other := &fakeSource{}
		c, stop := collect(t, Options{}, target("stuck", stuck), target("other", other))
		time.Sleep(9 * time.Minute)
		h := c.Health()[0]
		if n := len(stuck.polls()); n != 2 {
			t.Errorf("%d polls of an array that is still being polled", n)
		}
		if h.Skipped < 6 || h.State != Stale || h.Err == "" {
			t.Errorf("health is %+v", h)
		}
		if n := len(other.polls()); n < 8 {
			t.Errorf("the other array was polled %d times", n)
		}
		time.Sleep(6 * time.Minute)
		if h := c.Health()[0]; h.State != OK || len(stuck.polls()) < 3 {
			t.Errorf("polling did not continue: %+v", h)
		}
		stop()
	})
}

func TestTimeoutIsShorterThanInterval(t *testing.T) {
	for _, c := range []struct{ interval, timeout, want time.Duration }{
		{time.Minute, 10 * time.Second, 10 * time.Second},
		{time.Minute, 0, 30 * time.Second},
		{15 * time.Second, 0, 12 * time.Second},
		{15 * time.Second, 15 * time.Second, 12 * time.Second},
		{5 * time.Second, time.Minute, 4 * time.Second},
	} {
		if got := (Target{Interval: c.interval, Timeout: c.timeout}).timeout(); got != c.want {
			t.Errorf("interval %s and timeout %s give %s, want %s", c.interval, c.timeout, got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		hung := &fakeSource{onSample: func(ctx context.Context, _ int) (capability.Sample, error) {
			<-ctx.Done()
			return capability.Sample{}, ctx.Err()
		}}
		c, _ := collect(t, Options{}, target("fa1", hung))
		time.Sleep(20 * time.Second)
		h := c.Health()[0]
		if h.State != Failing || h.Duration != 10*time.Second || !strings.Contains(h.Err, "within 10s") {
			t.Errorf("health is %+v", h)
		}
	})
}

func TestPanicIsErrorOfOnePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		a := &fakeSource{onSample: func(_ context.Context, poll int) (capability.Sample, error) {
			if poll == 1 {
				panic("index out of range")
			}
			return sample(), nil
		}}
		c, stop := collect(t, Options{Log: zerolog.New(&out)}, target("fa1", a))
		time.Sleep(firstSpread)
		if h := c.Health()[0]; h.State != Failing || !strings.Contains(h.Err, "index out of range") {
			t.Errorf("health is %+v", h)
		}
		time.Sleep(time.Minute)
		if h := c.Health()[0]; h.State != OK || h.Failures != 0 || h.Errors != 1 {
			t.Errorf("the loop did not continue: %+v", h)
		}
		stop()
		if !strings.Contains(out.String(), "fake_test.go") {
			t.Error("the log has no stack")
		}
	})
}

func TestLogOneLinePerTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		begin := time.Now()
		var failed, recovered time.Time // the first poll that failed, and the first good one after it
		a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			s := sample()
			switch minute := time.Since(begin) / time.Minute; {
			case minute < 10: // complete samples
			case minute < 20:
				s.Faults = []capability.Fault{{Part: "performance", Err: errDown}}
				s.Performance = nil
			case minute < 65:
				if failed.IsZero() {
					failed = time.Now()
				}
				return capability.Sample{}, fmt.Errorf("GET arrays/space: array returned 500 (request req-7)")
			case minute < 75:
				s.Performance.Age = time.Hour
			}
			if !failed.IsZero() && recovered.IsZero() {
				recovered = time.Now()
			}
			return s, nil
		}}
		_, stop := collect(t, Options{Log: zerolog.New(&out)}, target("fa1", a))
		time.Sleep(2 * time.Hour)
		stop()

		want := []string{
			`"message":"array polled"`,
			`array polled, sample is partial: missing performance (connect to 10.0.0.1: no route to host)`,
			`(request req-7)`,
			`policy keep applies`,
			`polling array still fails`,
			`polling array still fails`,
			`polling array recovered, sample is outdated: newest performance sample is 1h0m0s old`,
			`array polled, sample is complete again`,
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("line %d is %s, want %s", i, lines[i], want[i])
			}
		}
		after := recovered.Sub(failed).Round(time.Second)
		if !strings.Contains(lines[6], fmt.Sprintf(`"after":%q`, after)) {
			t.Errorf("the duration is not %s: %s", after, lines[6])
		}
	})
}

// busy is an error with a Retry-After.
type busy time.Duration

func (b busy) Error() string             { return "array returned 503" }
func (b busy) RetryAfter() time.Duration { return time.Duration(b) }

func TestBackoffWithinBounds(t *testing.T) {
	for _, refused := range []bool{false, true} {
		first, last := networkFirst, networkMax
		if refused {
			first, last = loginFirst, waitMax
		}
		for failures := range 200 {
			full := last
			if failures < 16 {
				full = min(last, first<<max(failures-1, 0))
			}
			if got := backoff(failures, errDown, refused); got < full/2 || got > full {
				t.Fatalf("after %d failures (refused: %v) it waits %s, not %s..%s", failures, refused, got, full/2, full)
			}
		}
	}
	for asked, want := range map[time.Duration]time.Duration{90 * time.Second: 90 * time.Second, 24 * time.Hour: waitMax} {
		if got := backoff(1, fmt.Errorf("read space: %w", busy(asked)), false); got != want {
			t.Errorf("Retry-After of %s gives %s", asked, got)
		}
	}
}

var errToken = errors.New("the array refused the API token")

func TestFailingArraysPolledByBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			return capability.Sample{}, errDown
		}}
		locked := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			return capability.Sample{}, errToken
		}}
		refused := func(err error) bool { return errors.Is(err, errToken) }
		_, stop := collect(t, Options{Refused: refused}, target("down", down), target("locked", locked))
		time.Sleep(time.Hour)
		stop()
		if n := len(down.polls()); n < 120 || n > 245 {
			t.Errorf("%d polls an hour of an array that cannot be reached", n)
		}
		if n := len(locked.polls()); n > 28 {
			t.Errorf("%d logins an hour with a wrong token", n)
		}
		for i, polls := 1, locked.polls(); i < len(polls); i++ {
			if gap := polls[i].Sub(polls[i-1]); gap > waitMax {
				t.Errorf("a wait of %s", gap)
			}
		}
	})
}

// TestLogChangeOfCause checks that the log shows when a busy array begins to
// refuse the login instead.
func TestLogChangeOfCause(t *testing.T) {
	lines := func(t *testing.T, cause func(elapsed time.Duration) string) []string {
		t.Helper()
		var out bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			begin, request := time.Now(), 0
			a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
				request++
				return capability.Sample{}, fmt.Errorf("array returned %s (request %d)", cause(time.Since(begin)), request)
			}}
			named := func(err error) string {
				text, _, _ := strings.Cut(err.Error(), " (")
				return text
			}
			_, stop := collect(t, Options{Log: zerolog.New(&out), Cause: named}, target("fa1", a))
			time.Sleep(20 * time.Minute)
			stop()
		})
		return strings.Split(strings.TrimSpace(out.String()), "\n")
	}
	t.Run("once", func(t *testing.T) {
		got := lines(t, func(elapsed time.Duration) string {
			if elapsed < 10*time.Minute {
				return "503"
			}
			return "401"
		})
		want := []string{"polling array failed", "policy keep applies", "fails for another reason", "still fails"}
		if len(got) > 4 || len(got) < 3 || !strings.Contains(got[2], "returned 401") {
			t.Fatalf("got %d lines, want %q:\n%s", len(got), want, strings.Join(got, "\n"))
		}
		for i := range got {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("line %d is %s, want %s", i, got[i], want[i])
			}
		}
	})
	t.Run("alternating with every poll", func(t *testing.T) {
		n := 0
		got := lines(t, func(time.Duration) string {
			n++
			return []string{"503", "401"}[n%2]
		})
		if n < 40 || len(got) < 4 || len(got) > 24 {
			t.Errorf("%d lines for %d polls in 20 minutes:\n%s", len(got), n, strings.Join(got, "\n"))
		}
	})
}

func TestLogChangeOfMissingParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		begin := time.Now()
		a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			s := sample()
			part := "performance"
			if time.Since(begin) > 10*time.Minute {
				part = "space"
			}
			s.Faults = []capability.Fault{{Part: part, Err: errDown}}
			s.Performance = nil
			return s, nil
		}}
		_, stop := collect(t, Options{Log: zerolog.New(&out)}, target("fa1", a))
		time.Sleep(20 * time.Minute)
		stop()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "missing performance") || !strings.Contains(lines[1], "missing space") {
			t.Errorf("got %s", out.String())
		}
	})
}
