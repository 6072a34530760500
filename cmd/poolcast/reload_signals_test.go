package main

import (
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReloadUnderManySignals sends a hundred SIGHUPs in a second while an array
// comes and goes in the configuration. The array that stays keeps its session
// and is polled on, and nothing is left of the other.
func TestReloadUnderManySignals(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // or one that comes early would end the test
	defer signal.Stop(caught)
	e := newEnvironment(t, 2)
	e.configure(1)
	log, stop := e.agent()
	e.await("the first poll", polled(e.arrays[0]))
	before := runtime.NumGoroutine()

	gust := time.NewTicker(10 * time.Millisecond)
	defer gust.Stop()
	for n := range 100 {
		<-gust.C
		if n%5 == 0 {
			e.configure(1 + n/5%2)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	e.configure(2)
	e.arrays[1].ResetTraffic()
	e.await("a poll of the array that was added last", polled(e.arrays[1]))
	e.arrays[0].ResetTraffic()
	e.await("a poll of the array that stayed", polled(e.arrays[0]))
	if n := e.arrays[0].Logins(); n != 1 {
		t.Errorf("the array that stayed was logged into %d times", n)
	}
	if strings.Contains(log.String(), "configuration is refused") {
		t.Errorf("a configuration was refused:\n%s", log)
	}

	e.configure(1)
	e.await("the logout of the array that was removed last", func() bool { return e.arrays[1].Sessions() == 0 })
	e.await("the end of what the storm began", func() bool { return runtime.NumGoroutine() <= before+2 })
	stop()
	for _, a := range e.arrays {
		if n := a.Sessions(); n != 0 {
			t.Errorf("%s is left with %d sessions", a.Name(), n)
		}
	}
}
