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
	l := newEnvironment(t, 2)
	l.configure(1)
	log, stop := l.agent()
	l.await("the first poll", polled(l.arrays[0]))
	before := runtime.NumGoroutine()

	gust := time.NewTicker(10 * time.Millisecond)
	defer gust.Stop()
	for n := range 100 {
		<-gust.C
		if n%5 == 0 {
			l.configure(1 + n/5%2)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	l.configure(2)
	l.arrays[1].ResetTraffic()
	l.await("a poll of the array that was added last", polled(l.arrays[1]))
	l.arrays[0].ResetTraffic()
	l.await("a poll of the array that stayed", polled(l.arrays[0]))
	if n := l.arrays[0].Logins(); n != 1 {
		t.Errorf("the array that stayed was logged into %d times", n)
	}
	if strings.Contains(log.String(), "configuration is refused") {
		t.Errorf("a configuration was refused:\n%s", log)
	}

	l.configure(1)
	l.await("the logout of the array that was removed last", func() bool { return l.arrays[1].Sessions() == 0 })
	l.await("the end of what the storm began", func() bool { return runtime.NumGoroutine() <= before+2 })
	stop()
	for _, a := range l.arrays {
		if n := a.Sessions(); n != 0 {
			t.Errorf("%s is left with %d sessions", a.Name(), n)
		}
	}
}
