package config

import (
	"strings"
	"testing"
	"time"
)

func TestThresholds(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": minimal + `[poolcast]
load_thresholds = 50, 62.5 %
latency_thresholds = 800us,1.5ms
virtual_free_thresholds = 30%,0
`})
	got := mustLoad(t, folder+"/a.conf").Agent.Thresholds
	want := Thresholds{
		Load: [2]float64{50, 62.5}, Latency: [2]time.Duration{800 * time.Microsecond, 1500 * time.Microsecond},
		Used: [2]float64{80, 90}, VirtualFree: [2]float64{30, 0},
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestThresholdsRefused: each fault names file, line and what to write.
func TestThresholdsRefused(t *testing.T) {
	const numbers, durations = "Write two numbers from 0 to 100, for warning and critical, such as ", "Write two durations with their units, for warning and critical, such as 2ms,5ms."
	for line, want := range map[string]string{
		"load_thresholds = 70":               `load_thresholds "70" is not two values. ` + numbers + "70,90.",
		"load_thresholds = 70,90,95":         "is not two values. " + numbers,
		"load_thresholds =":                  "is not two values. " + numbers,
		"load_thresholds = 90,70":            "has a warning that is not below critical. " + numbers,
		"load_thresholds = 70,70":            "has a warning that is not below critical. " + numbers,
		"used_thresholds = 80,101":           "has a number that is not from 0 to 100. " + numbers + "80,90.",
		"used_thresholds = -1,90":            "has a number that is not from 0 to 100. " + numbers,
		"used_thresholds = high,90":          "is not a number. " + numbers,
		"used_thresholds = ,90":              "has an empty value. " + numbers,
		"virtual_free_thresholds = 5,10":     "has a warning that is not above critical. " + numbers + "10,5.",
		"latency_thresholds = 2,5":           "has a latency without a unit, or one that is not a duration. " + durations,
		"latency_thresholds = 2ms,0":         "has a latency without a unit, or one that is not a duration. " + durations,
		"latency_thresholds = 5ms,2ms":       "has a warning that is not below critical. " + durations,
		"latency_thresholds = 0ms,5ms":       "has a latency that is not above 0 and at most 1m0s. " + durations,
		"latency_thresholds = 1ms,2h":        "has a latency that is not above 0 and at most 1m0s. " + durations,
		"latency_thresholds = 1ms, quickly ": "has a latency without a unit, or one that is not a duration. " + durations,
	} {
		folder := write(t, map[string]string{"a.conf": minimal + "[poolcast]\n" + line + "\n"})
		_, err := Load(Sources{Inputs: Files(folder + "/a.conf"), hostname: "thishost"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a.conf:") || strings.Contains(err.Error(), "a.conf:0") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}
