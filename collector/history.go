package collector

import (
	"math"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Point is one reading, cut down to what a sparkline needs: a thousand arrays
// with an hour of history each should still fit in a few megabytes. NaN means
// that the array did not say.
type Point struct {
	At time.Time // when the reading was begun

	UsedBytes        float64
	ProvisionedBytes float64
	Volumes          float64
	ReadsPerSec      float64
	WritesPerSec     float64
	ReadBytesPerSec  float64
	WriteBytesPerSec float64
	UsecPerRead      float64
	UsecPerWrite     float64
	LoadPercent      float64
}

func pointOf(s capability.Sample) Point {
	p := Point{
		At: s.CollectedAt, Volumes: number(s.Counts.Volumes),
		UsedBytes: math.NaN(), ProvisionedBytes: math.NaN(),
		ReadsPerSec: math.NaN(), WritesPerSec: math.NaN(),
		ReadBytesPerSec: math.NaN(), WriteBytesPerSec: math.NaN(),
		UsecPerRead: math.NaN(), UsecPerWrite: math.NaN(), LoadPercent: math.NaN(),
	}
	if s.Space != nil {
		p.UsedBytes, p.ProvisionedBytes = number(s.Space.Used()), number(s.Space.Provisioned())
	}
	if f := s.Performance; f != nil {
		p.ReadsPerSec, p.WritesPerSec = number(f.ReadsPerSec), number(f.WritesPerSec)
		p.ReadBytesPerSec, p.WriteBytesPerSec = number(f.ReadBytesPerSec), number(f.WriteBytesPerSec)
		p.UsecPerRead, p.UsecPerWrite = number(f.UsecPerRead), number(f.UsecPerWrite)
		if load, ok := loadPercent(f); ok {
			p.LoadPercent = float64(load)
		}
	}
	return p
}

func number(i *int64) float64 {
	if i == nil {
		return math.NaN()
	}
	return float64(*i)
}

// ring keeps the newest points.
type ring struct {
	points []Point
	next   int
	size   int
}

func (r *ring) add(p Point) {
	if len(r.points) < r.size {
		r.points = append(r.points, p)
		return
	}
	r.points[r.next] = p
	r.next = (r.next + 1) % r.size
}

// all returns a copy, oldest first.
func (r *ring) all() []Point {
	out := make([]Point, 0, len(r.points))
	out = append(out, r.points[r.next:]...)
	return append(out, r.points[:r.next]...)
}
