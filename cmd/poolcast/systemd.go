package main

import (
	"os"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// notifier tells systemd how the agent is, if systemd started it and wants to
// know (Type=notify, WatchdogSec); otherwise it does nothing.
type notifier struct{ wanted bool }

func newNotifier() notifier { return notifier{wanted: os.Getenv("NOTIFY_SOCKET") != ""} }

func (n notifier) ready() { n.tell(daemon.SdNotifyReady) }

func (n notifier) stopping() { n.tell(daemon.SdNotifyStopping) }

// reloading needs the monotonic clock, so that systemd can tell which reload
// became ready.
func (n notifier) reloading() {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
		n.tell(daemon.SdNotifyReloading + "\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/int64(time.Microsecond), 10))
	}
}

func (n notifier) watchdog() { n.tell(daemon.SdNotifyWatchdog) }

// tell sends a word. There is nobody to report a failure to but systemd.
func (n notifier) tell(word string) {
	if n.wanted {
		_, _ = daemon.SdNotify(false, word)
	}
}
