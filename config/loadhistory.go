package config

import (
	"errors"
	"fmt"
	"time"
)

// ClassLimits are load_class_limits, in percent of load.
type ClassLimits struct {
	Low  int // a load below it is low
	High int // a load above it is high
}

// The bounds of the limits. A class changes where the load is five points beyond a
// limit, which must be a load that an array can have; with less than ten points between
// the limits it would be within one limit's margin and beyond the other's.
const (
	leastLimit   = 5
	mostLimit    = 95
	leastBetween = 10
	// historyInterval is the longest poll_interval with enough values in an hour.
	historyInterval = 5 * time.Minute
)

func parseClassLimits(text string) (ClassLimits, error) {
	pair, err := parsePair(text, func(part string) (int, error) {
		i, err := parseInt(part)
		if err != nil && !errors.Is(err, errEmpty) {
			err = errors.New("has a value that is not a whole number")
		}
		return i, err
	})
	switch {
	case err != nil:
		return ClassLimits{}, err
	case pair[0] < leastLimit || pair[1] > mostLimit:
		return ClassLimits{}, fmt.Errorf("is not between %d and %d", leastLimit, mostLimit)
	case pair[1]-pair[0] < leastBetween:
		return ClassLimits{}, fmt.Errorf("has a second limit that is less than %d above the first", leastBetween)
	}
	return ClassLimits{Low: pair[0], High: pair[1]}, nil
}

func (s scope) classLimits() value[ClassLimits] {
	return read(s, "load_class_limits", parseClassLimits)
}

// loadHistory sets the options of the last hour's load.
func (s scope) loadHistory(a *Agent) {
	history := s.boolean("load_history")
	a.LoadHistory, a.LoadClassLimits = history.v, s.classLimits().v
	if history.v && a.PollInterval > historyInterval {
		s.record.fault(history.where, "Write poll_interval = 1m, or load_history = false.",
			fmt.Errorf("needs a poll_interval of at most %s, and it is %s: an hour has too few samples otherwise", historyInterval, a.PollInterval))
	}
}
