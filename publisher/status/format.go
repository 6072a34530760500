package status

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// none is printed for a number that is not known, which is never a zero.
const none = "–"

// number returns a numeric key of a report, if both exist.
func number(r *capability.Report, key string) (float64, bool) {
	if r == nil {
		return 0, false
	}
	return r.Capabilities[key].Float()
}

// numberAs returns a function that prints a key of a report, or a dash.
func numberAs(print func(float64) string) func(*capability.Report, string) string {
	return func(r *capability.Report, key string) string {
		if f, ok := number(r, key); ok {
			return print(f)
		}
		return none
	}
}

// grouped prints a whole number with separated thousands.
func grouped(f float64) string {
	digits := format.Whole(f)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return sign + digits
}

// gibText prints GiB, or TiB if there are many.
func gibText(gib float64) string {
	if math.Abs(gib) >= 10*1024 {
		return grouped(gib/1024) + "\u202fTiB"
	}
	return grouped(gib) + "\u202fGiB"
}

// bytesText prints bytes per second.
func bytesText(perSecond float64) string {
	return grouped(perSecond/1e6) + "\u202fMB/s"
}

// latencyText prints microseconds.
func latencyText(usec float64) string {
	if usec >= 10_000 {
		return format.Decimal(usec/1000) + "\u202fms"
	}
	return grouped(usec) + "\u202fµs"
}

func percent(f *float64) string {
	if f == nil {
		return none
	}
	return strconv.FormatFloat(*f*100, 'f', 0, 64) + "\u202f%"
}

// used prints the capacity in use, or a dash.
func used(r *capability.Report) string {
	total, okTotal := number(r, capability.KeyTotalCapacity)
	free, okFree := number(r, capability.KeyFreeCapacity)
	if !okTotal || !okFree {
		return none
	}
	return gibText(max(0, total-free))
}

// sum prints the sum of a capacity over the pool's arrays, and of how many if some
// have none.
func sum(p capability.LogicalPool, key string) string {
	total, n := p.Sum(key)
	switch {
	case total == nil:
		return none
	case n < len(p.Reports):
		return fmt.Sprintf("%s (%d of %d arrays)", gibText(*total), n, len(p.Reports))
	}
	return gibText(*total)
}

// deviation prints how far an array's volumes are from the mean of its pool.
func deviation(r *capability.Report, mean *float64) string {
	n, ok := number(r, capability.KeyTotalVolumes)
	if !ok || mean == nil || *mean == 0 {
		return ""
	}
	percent := math.Round((n / *mean - 1) * 100)
	switch {
	case percent > 0:
		return fmt.Sprintf("%.0f\u202f%% above the pool’s mean of %s", percent, grouped(*mean))
	case percent < 0:
		return fmt.Sprintf("%.0f\u202f%% below the pool’s mean of %s", -percent, grouped(*mean))
	}
	return "the pool’s mean"
}

// stateText prints the state of a backend.
func stateText(o Overlay) string {
	text := map[string]string{
		"":           "not yet",
		"idle":       "not connected to the schedulers",
		"listening":  "waiting for a report of cinder-volume",
		"standalone": "publishing complete reports",
		"overlaying": "overlaying reports of cinder-volume",
		"standby":    "on standby",
		"suspended":  "suspended",
		"no_sample":  "not publishing, the schedulers use the report of cinder-volume",
	}[o.State]
	if text == "" {
		text = o.State
	}
	if o.Reason != "" {
		text += " (" + o.Reason + ")"
	}
	return text
}

// ago prints how long ago an instant was.
func ago(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	d := now.Sub(then)
	switch {
	case d < 2*time.Second:
		return "now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s ago", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min ago", d.Minutes())
	}
	return fmt.Sprintf("%.0f h ago", d.Hours())
}

// schedulers prints the number of schedulers, if it is known.
func schedulers(consumers *int) string {
	if consumers == nil {
		return ""
	}
	return format.Count(*consumers, "scheduler")
}
