package status

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// SchedulerList is the scheduler's list of backends as it was received last, as far as
// the page shows it.
type SchedulerList struct {
	RequestedAt time.Time    // of the last request that has ended; zero before the first
	ReceivedAt  time.Time    // of the list; zero if there is none
	Failure     string       // why the last request failed; "" if it did not
	Others      []ListedPool // those of backends that the agent does not serve, by name
	Unlisted    []string     // identities of the agent's backends that the list lacks
}

// ListedPool is one pool of the list.
type ListedPool struct {
	Name         string // host@backend#pool
	Zone         string
	ZoneAssumed  bool // the list has no zones, and the configuration has none for the backend
	Capabilities capability.Set
}

// Label is the volume_backend_name of the pool, or a dash.
func (p ListedPool) Label() string {
	name, _ := p.Capabilities[capability.KeyVolumeBackendName].Str()
	return cmp.Or(name, none)
}

// Room is a capacity in GiB, what a driver reports in its place, such as infinite, or a
// dash.
func (p ListedPool) Room(key string) string {
	value, ok := p.Capabilities[key]
	if text, isText := value.Str(); isText {
		return text
	}
	if f, isNumber := value.Float(); ok && isNumber {
		return gibText(f)
	}
	return none
}

// recentList is how old a list may be whose missing backends are among the things to look
// at: while the page is viewed, there is a newer one each minute.
const recentList = 5 * time.Minute

// checks is a warning about backends that the scheduler does not list.
func (l SchedulerList) checks(now time.Time) []check {
	if len(l.Unlisted) == 0 || now.Sub(l.ReceivedAt) > recentList {
		return nil
	}
	return []check{{
		Name: "scheduler's list", OK: true, Warning: true,
		Reason: "without " + format.List(l.Unlisted) + " " + ago(now, l.ReceivedAt) + ": disabled, frozen or down, or not reported since the scheduler started; no volume is placed there",
		Next:   step{"openstack volume service list --service cinder-volume --long", "has state and reason; poolcast check compares the names"},
		Link:   &link{"#listed", "the list"},
	}}
}

// maxListed is how many backends the page shows. /v1/scheduler has all of them.
const maxListed = 500

// listData is the section of the page about the list.
type listData struct {
	SchedulerList
	Now       time.Time
	Connected bool
}

// Shown are the pools on the page, and More is how many others there are.
func (l listData) Shown() []ListedPool { return l.Others[:min(len(l.Others), maxListed)] }

// More is how many pools the page does not show.
func (l listData) More() int { return len(l.Others) - len(l.Shown()) }

// maxUnlisted is how many unlisted backends are named.
const maxUnlisted = 20

// Missing names the unlisted backends.
func (l listData) Missing() string {
	text := strings.Join(l.Unlisted[:min(len(l.Unlisted), maxUnlisted)], ", ")
	if more := len(l.Unlisted) - maxUnlisted; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Summary counts the pools and their hosts.
func (l listData) Summary() string {
	hosts := map[string]bool{}
	for _, p := range l.Others {
		host, _, _ := strings.Cut(p.Name, "@")
		hosts[host] = true
	}
	return format.Count(len(l.Others), "pool") + " on " + format.Count(len(hosts), "host")
}

// State is a sentence about the list: its age, or why there is none.
func (l listData) State() string {
	switch {
	case !l.Connected && l.ReceivedAt.IsZero():
		return "Not requested: poolcast is not connected to RabbitMQ."
	case l.RequestedAt.IsZero():
		return "The list was requested from the scheduler, and is shown when the page is next refreshed."
	case l.ReceivedAt.IsZero():
		return "There is no list."
	case len(l.Others) == 0:
		return fmt.Sprintf("The scheduler listed none %s.", ago(l.Now, l.ReceivedAt))
	}
	return fmt.Sprintf("As the scheduler listed them %s.", ago(l.Now, l.ReceivedAt))
}
