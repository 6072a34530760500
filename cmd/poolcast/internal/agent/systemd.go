package agent

import (
	"os"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// notifier sends the state of the agent to systemd, if systemd started it with
// Type=notify or WatchdogSec; otherwise it does nothing.
type notifier struct{ enabled bool }

func newNotifier() notifier { return notifier{enabled: os.Getenv("NOTIFY_SOCKET") != ""} }

func (n notifier) ready() { n.send(daemon.SdNotifyReady) }

func (n notifier) stopping() { n.send(daemon.SdNotifyStopping) }

// reloading sends the monotonic time, by which systemd matches the next "ready"
// with this reload.
func (n notifier) reloading() {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
		n.send(daemon.SdNotifyReloading + "\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/int64(time.Microsecond), 10))
	}
}

func (n notifier) watchdog() { n.send(daemon.SdNotifyWatchdog) }

// send ignores failures: systemd is the only one to report them to.
func (n notifier) send(state string) {
	if n.enabled {
		_, _ = daemon.SdNotify(false, state)
	}
}
