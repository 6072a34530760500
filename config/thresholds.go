package config

import (
	"errors"
	"strings"
	"time"
)

// Thresholds are the values from which the status page marks an array, the first with
// warning and the second with critical. VirtualFree falls towards its thresholds, the
// others rise. A reload changes them.
type Thresholds struct {
	Load        [2]float64       // percent (load_percent)
	Latency     [2]time.Duration // of reads, and of writes
	Used        [2]float64       // percent of the capacity
	VirtualFree [2]float64       // percent of the most that virtual free capacity can be
}

func (s scope) thresholds() Thresholds {
	return Thresholds{
		Load:        read(s, "load_thresholds", parseRisingPercentages).v,
		Latency:     read(s, "latency_thresholds", parseLatencies).v,
		Used:        read(s, "used_thresholds", parseRisingPercentages).v,
		VirtualFree: read(s, "virtual_free_thresholds", parseFallingPercentages).v,
	}
}

func parseRisingPercentages(text string) (pair [2]float64, err error) {
	if pair, err = parsePercentages(text); err == nil && pair[0] >= pair[1] {
		err = errors.New("has a warning that is not below critical")
	}
	return pair, err
}

func parseFallingPercentages(text string) (pair [2]float64, err error) {
	if pair, err = parsePercentages(text); err == nil && pair[0] <= pair[1] {
		err = errors.New("has a warning that is not above critical")
	}
	return pair, err
}

func parsePercentages(text string) ([2]float64, error) {
	return parsePair(text, func(part string) (float64, error) {
		f, err := parseFloat(strings.TrimSuffix(part, "%"))
		if err == nil && (f < 0 || f > 100) {
			err = errors.New("has a number that is not from 0 to 100")
		}
		return f, err
	})
}

// maxLatency is far above what an array that works has.
const maxLatency = time.Minute

// parseLatencies reads durations with a unit: a bare number could be meant in
// microseconds, as the array reports latency, or in seconds, as other options are.
func parseLatencies(text string) ([2]time.Duration, error) {
	pair, err := parsePair(text, func(part string) (time.Duration, error) {
		d, err := time.ParseDuration(part)
		switch {
		case err != nil || part == "0":
			return 0, errors.New("has a latency without a unit, or one that is not a duration")
		case d <= 0 || d > maxLatency:
			return 0, errors.New("has a latency that is not above 0 and at most " + maxLatency.String())
		}
		return d, nil
	})
	if err == nil && pair[0] >= pair[1] {
		err = errors.New("has a warning that is not below critical")
	}
	return pair, err
}

// parsePair reads two values between which there is a comma.
func parsePair[T any](text string, parse func(part string) (T, error)) (pair [2]T, err error) {
	parts := parseList(text)
	if len(parts) != len(pair) {
		return pair, errors.New("is not two values")
	}
	for i, part := range parts {
		if pair[i], err = parse(part); errors.Is(err, errEmpty) {
			err = errors.New("has an empty value")
		}
		if err != nil {
			return pair, err
		}
	}
	return pair, nil
}
