package status

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

const (
	// MaxFailures is how many failures a view has at most.
	MaxFailures = 50
	// FitsNow says why a backend can fit that did not when the create failed.
	FitsNow = "its report or its service has changed in the last minute, the scheduler counts volumes that are not in the report yet, or its settings are not those of this cinder.conf"

	createVolume = "create_volume" // the operation of a failed create
)

// Failures are the operations that the schedulers have given up, from their error
// notifications.
type Failures struct {
	Enabled   bool      // explain_failures
	Listening bool      // notifications are received
	Reason    string    // why they are not; "" if they are
	Since     time.Time // when counting began
	Latest    []Failure // the newest first, at most MaxFailures
	Counts    []FailureCount
}

// FailureCount is how many creates failed for a logical pool and for a filter.
type FailureCount struct {
	Pool   string // one that is configured, "" for any other
	Filter string // that refused most backends of the pool; none if one fits now; other
	Number uint64
}

// Failure is an operation that a scheduler has given up. It has no id of a project or
// a user.
type Failure struct {
	ReceivedAt  time.Time `json:"received_at"`
	Operation   string    `json:"operation"`
	VolumeID    string    `json:"volume_id"`
	VolumeType  string    `json:"volume_type"`
	Size        int64     `json:"size"`
	Zones       []string  `json:"availability_zones"`
	Explanation string    `json:"explanation"` // in one line
	// Fits are the backends that would take the volume now.
	Fits    []string         `json:"fits"`
	Refused []FailureRefusal `json:"refused"`
	// OtherPools is how many backends were left out, because they belong to another
	// logical pool than the volume type requires.
	OtherPools int `json:"other_pools"`
}

// FailureRefusal is why a backend would be refused now.
type FailureRefusal struct {
	Backend string `json:"backend"`
	Filter  string `json:"filter"`
	Reason  string `json:"reason"`
}

// Request describes the volume in a few words.
func (f Failure) Request() string {
	text := "volume " + f.shortID()
	if f.VolumeType != "" {
		text += ", type " + f.VolumeType
	}
	if f.Size > 0 {
		text += fmt.Sprintf(", %d GiB", f.Size)
	}
	if len(f.Zones) > 0 {
		text += ", " + format.List(f.Zones)
	}
	return text
}

// shortID is the beginning of a volume's id, which is enough to find it.
func (f Failure) shortID() string {
	const length = len("c7cb6f1e")
	if len(f.VolumeID) <= length {
		return f.VolumeID
	}
	return format.Shorten(f.VolumeID, length+1)
}

// recentFailure is how long a failed create is among the things to look at.
const recentFailure = time.Hour

// checks are warnings: reports reach the schedulers all the same.
func (f Failures) checks(now time.Time) (all []check) {
	if !f.Enabled {
		return nil
	}
	if !f.Listening {
		all = append(all, check{
			Name: "notifications", OK: true, Warning: true, Reason: "failed creates are not explained: " + f.Reason,
			Next: f.next(),
		})
	}
	var recent []Failure
	for _, one := range f.Latest {
		if one.Operation == createVolume && now.Sub(one.ReceivedAt) < recentFailure {
			recent = append(recent, one)
		}
	}
	if len(recent) > 0 {
		last, number := recent[0], strconv.Itoa(len(recent))
		if len(recent) == MaxFailures {
			number = "at least " + number
		}
		all = append(all, check{
			Name: "failed creates", OK: true, Warning: true,
			Reason: fmt.Sprintf("%s in the last hour, the last one %s: %s: %s", number, ago(now, last.ReceivedAt), last.Request(), last.Explanation),
			Next:   step{"", "see why each backend was refused, and correct the type, the request or the array"},
			Link:   &link{"#failures", "failed creates"},
		})
	}
	return all
}

// next is what to do so that notifications are received.
func (f Failures) next() step {
	if strings.Contains(f.Reason, "right") || strings.Contains(f.Reason, "ACCESS_REFUSED") {
		return step{"", "give the user the rights of explain_failures in OPERATIONS.md; poolcast tries again by itself"}
	}
	return step{"", "compare transport_url of [DEFAULT] and [oslo_messaging_notifications] with that of cinder-scheduler; poolcast tries again by itself"}
}

// failures serves /v1/failures.
func (s *Server) failures(w http.ResponseWriter, _ *http.Request) {
	latest := s.opts.Source.View().Failures.Latest
	if latest == nil {
		latest = []Failure{}
	}
	writeJSON(w, http.StatusOK, latest)
}
