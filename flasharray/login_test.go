package flasharray_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// lateLogin runs a test against an array that opens sessions at once and delays
// the response to a login.
func lateLogin(t *testing.T, late time.Duration, test func(*testing.T, *environment)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{SessionIdle: -1})
		l.SetFaults(simulator.Late(late).On("login"))
		test(t, l)
	})
}

func TestSlowLoginOpensOneSession(t *testing.T) {
	lateLogin(t, 25*time.Second, func(t *testing.T, l *environment) {
		defer l.close(t)
		failed := 0
		for range 5 {
			begin := time.Now()
			_, err := l.client.Sample(t.Context())
			if err != nil {
				failed++
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "POST login: no complete response within 10s") {
					t.Errorf("got %v", err)
				}
			}
			if took := time.Since(begin); took > flasharray.DefaultTimeout {
				t.Errorf("the sample took %s", took)
			}
			if n := l.Sessions(); n > 1 {
				t.Fatalf("%d sessions are open", n)
			}
			time.Sleep(2 * time.Second)
		}
		if c := l.client.Counters(); failed != 2 || l.Logins() != 1 || c.Sessions != 1 || c.SessionsLost != 0 {
			t.Errorf("%d samples failed, the array counts %d logins, the client %+v", failed, l.Logins(), c)
		}
	})
}

func TestCancelledSampleLeavesLoginToNext(t *testing.T) {
	lateLogin(t, 5*time.Second, func(t *testing.T, l *environment) {
		defer l.close(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.client.Sample(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Hour)
		l.sampleComplete(t)
		if l.Logins() != 1 || l.Sessions() != 1 {
			t.Errorf("%d logins, %d sessions", l.Logins(), l.Sessions())
		}
	})
}

func TestConcurrentRequestsShareSlowLogin(t *testing.T) {
	lateLogin(t, 15*time.Second, func(t *testing.T, l *environment) {
		defer l.close(t)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for {
					if _, err := l.client.Get(t.Context(), "hosts", nil); err == nil {
						return
					}
				}
			})
		}
		wg.Wait()
		if l.Logins() != 1 || l.Sessions() != 1 {
			t.Errorf("%d logins, %d sessions", l.Logins(), l.Sessions())
		}
	})
}

func TestLoginWithoutResponseTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.SetFaults(simulator.Hang().On("login").Times(1))
		begin := time.Now()
		for {
			if _, err := l.client.Sample(t.Context()); err == nil {
				break
			}
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("the first sample after %s", took)
		}
		if c := l.client.Counters(); c.SessionsLost != 1 || c.Sessions != 1 {
			t.Errorf("counted %+v", c)
		}
	})
}

func TestSlowTokenRefusalIsErrorOfNextSample(t *testing.T) {
	refused := 0
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{Tokens: []string{"another"}}, func(o *flasharray.Options) {
			o.TokenRefused = func() { refused++ }
		})
		defer l.close(t)
		l.SetFaults(simulator.Late(15 * time.Second).On("login"))
		_, first := l.client.Sample(t.Context())
		_, second := l.client.Sample(t.Context())
		if errors.Is(first, flasharray.ErrTokenRefused) || !errors.Is(second, flasharray.ErrTokenRefused) || refused != 1 {
			t.Errorf("refused %d times: %v, then %v", refused, first, second)
		}
	})
}

func TestCloseDuringLogin(t *testing.T) {
	for name, bound := range map[string]time.Duration{"waits": time.Minute, "gives up waiting": time.Second} {
		t.Run(name, func(t *testing.T) {
			lateLogin(t, 5*time.Second, func(t *testing.T, l *environment) {
				var sampleErr error
				var wg sync.WaitGroup
				wg.Go(func() { _, sampleErr = l.client.Sample(t.Context()) })
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), bound)
				defer cancel()
				begin := time.Now()
				err := l.client.Close(ctx)
				if took := time.Since(begin); took > min(bound, 4*time.Second) || (err == nil) != (bound > 4*time.Second) {
					t.Errorf("after %s: %v", took, err)
				}
				if wg.Wait(); !errors.Is(sampleErr, flasharray.ErrClosed) {
					t.Errorf("the sample in progress ended with %v", sampleErr)
				}
				time.Sleep(10 * time.Second)
				if n := l.Sessions(); n != 0 || l.Logins() != 1 {
					t.Errorf("%d sessions are open after %d logins", n, l.Logins())
				}
				if err := l.server.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
