package status

import (
	"math"
	"strings"
	"testing"
	"time"
)

func steady(v float64, n int) []Point {
	var points []Point
	for i := range n {
		points = append(points, Point{At: noon.Add(time.Duration(i) * time.Second), Operations: v, ReadUsec: math.NaN()})
	}
	return points
}

func TestSparklineHeadroom(t *testing.T) {
	busy, quiet := steady(1000, 10), steady(100, 10)
	c := newChart(sparkWidth, [][]Point{busy, quiet})
	high, low := c.y(1000, operations), c.y(100, operations)
	if high < sparkHeight*0.15 || high > sparkHeight*0.35 {
		t.Errorf("the busy array's line is at %.1f of %d", high, sparkHeight)
	}
	if low-high < sparkHeight/2 {
		t.Errorf("a tenth of the load is at %.1f, the whole of it at %.1f", low, high)
	}
}

func TestSparklineBounds(t *testing.T) {
	for name, history := range map[string][]Point{
		"one reading": steady(5, 1), "nothing but zero": steady(0, 3), "a day of readings": steady(7, 5760),
	} {
		c := newChart(sparkWidth, [][]Point{history})
		columns, _, _, _ := c.columns(history, operations)
		if len(columns) == 0 || len(columns) > sparkWidth+1 {
			t.Errorf("%s: %d columns", name, len(columns))
		}
		for _, at := range columns {
			if y := c.y(at.v, operations); at.x < 0 || at.x > sparkWidth || y < 0 || y > sparkHeight {
				t.Errorf("%s: drawn at %.1f, %.1f", name, at.x, y)
			}
		}
	}
}

func TestSparklineKeepsPeaksAndGaps(t *testing.T) {
	history := steady(10, 2000)
	history[1234].Operations = 99
	history[700].Operations = math.NaN()
	c := newChart(sparkWidth, [][]Point{history})
	line := string(c.line(history, operations).Drawing)
	_, stroke, _ := strings.Cut(line, `class="line"`)
	if n := strings.Count(stroke, "M"); n != 2 {
		t.Errorf("a gap makes %d runs: %s", n, line)
	}
	columns, low, high, last := c.columns(history, operations)
	var peak float64
	for _, at := range columns {
		peak = max(peak, at.v)
	}
	if peak != 99 || low != 10 || high != 99 || last != 10 {
		t.Errorf("peak %v, low %v, high %v, last %v", peak, low, high, last)
	}
	if got := c.line(history, readLatency); !strings.Contains(string(got.Drawing), "no data yet") {
		t.Errorf("a latency that was not measured is drawn as %s", got)
	}
	if got := newChart(sparkWidth, nil).line(nil, operations); !strings.Contains(string(got.Drawing), "no data yet") {
		t.Errorf("no history is drawn as %s", got)
	}
}
