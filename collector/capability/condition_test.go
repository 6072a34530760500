package capability

import (
	"testing"
	"time"
)

func TestConditionValidAt(t *testing.T) {
	at := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	c := Condition{
		CriticalAlerts: Reading[int64]{Value: 1, At: at, Every: time.Minute},
		InfoAlerts:     Reading[int64]{Value: 3, At: at, Every: 5 * time.Minute},
	}
	for _, tc := range []struct {
		interval, after time.Duration
		critical, info  bool
	}{
		{5 * time.Second, 4 * time.Minute, true, true},
		{5 * time.Second, 5 * time.Minute, false, true},
		{5 * time.Second, 21 * time.Minute, false, false},
		{time.Minute, 36 * time.Minute, true, true}, // nine parts are read in turn
		{time.Minute, 37 * time.Minute, false, false},
	} {
		got := c.ValidAt(at.Add(tc.after), tc.interval)
		if got.CriticalAlerts.Read() != tc.critical || got.InfoAlerts.Read() != tc.info || got.WarningAlerts.Read() {
			t.Errorf("polled every %s, %s after it was read: %+v", tc.interval, tc.after, got)
		}
		if !got.CriticalAlerts.Read() && got.CriticalAlerts.Value != 0 {
			t.Errorf("a value that is too old is kept: %+v", got)
		}
	}
}
