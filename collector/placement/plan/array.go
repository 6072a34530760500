package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/internal/growth"
)

// array is one array with the moves so far.
type array struct {
	first   capability.Report
	pool    string
	emptied bool
	known   bool // whether both shares are
	auto    bool // the ratio follows the reduction

	space   cinder.Arithmetic
	moved   growth.Volumes
	shares  shares             // with the moves
	version int                // counts the moves
	report  *capability.Report // with the moves; nil until it is needed
}

// host is the pool by its host, also where it is in a cluster.
func (a *array) host() string {
	_, pool, _ := strings.Cut(a.pool, "#")
	return a.first.Host + "#" + pool
}

// shares are how full an array is.
type shares struct{ used, provisioned float64 }

func (s shares) full() float64 { return max(s.used, s.provisioned) }

func newArray(r capability.Report) *array {
	a := &array{first: r, pool: cinder.PoolID(&r)}
	a.space, a.known = cinder.ArithmeticOf(r)
	_, used := r.Capabilities.UsedShare()
	a.known = a.known && used && a.space.Total > 0 && a.space.Total > a.space.Reserved && a.space.Ratio > 0
	a.auto = a.known && a.space.Thin && growth.IsAutomatic(r.Capabilities)
	if a.known {
		a.shares = a.with(growth.Volumes{})
	}
	return a
}

// with are the shares of the array with its moves and further volumes.
func (a *array) with(more growth.Volumes) shares {
	v := a.sum(more)
	used := max(0, a.space.Total-a.space.Free+v.Physical)
	permitted, provisioned := a.space.Total-a.space.Reserved, used
	if a.space.Thin {
		permitted *= a.ratio(v)
		provisioned = max(0, a.space.Provisioned+v.GiB)
	}
	return shares{used / a.space.Total, provisioned / permitted}
}

// ratio is the over-subscription ratio with volumes that came.
func (a *array) ratio(v growth.Volumes) float64 {
	if !a.auto {
		return a.space.Ratio
	}
	return a.space.Ratio * growth.Factor(a.space.Provisioned, a.space.Total-a.space.Free, v)
}

func (a *array) sum(more growth.Volumes) growth.Volumes {
	return growth.Volumes{Count: a.moved.Count + more.Count, GiB: a.moved.GiB + more.GiB, Physical: a.moved.Physical + more.Physical}
}

func (a *array) add(more growth.Volumes) {
	a.moved = a.sum(more)
	a.report = nil
	if a.known {
		a.shares = a.with(growth.Volumes{})
	}
	a.version++
}

// reset takes all moves back.
func (a *array) reset() {
	a.moved = growth.Volumes{}
	a.add(growth.Volumes{})
}

// now is the report of the array with its moves.
func (a *array) now() capability.Report {
	if a.report == nil {
		r := a.first
		r.Capabilities = a.first.Capabilities.Clone()
		growth.Add(r.Capabilities, a.moved)
		if a.auto {
			ratio := a.ratio(a.moved)
			growth.AddTo(r.Capabilities, capability.KeyMaxOverSubscription, ratio-a.space.Ratio)
			growth.AddTo(r.Capabilities, capability.KeyTotalReduction, ratio-a.space.Ratio)
		}
		a.report = &r
	}
	return *a.report
}

// busy reports whether the load is above a limit, in percent.
func (a *array) busy(limit int64) bool {
	load, ok := a.first.Capabilities.Number(capability.KeyLoadPercent)
	return ok && load > float64(limit)
}

// text says how full the array is.
func (a *array) text(s shares) string {
	if s.used >= s.provisioned {
		return fmt.Sprintf("%s is %s full", a.first.Name(), format.Percent(s.used))
	}
	return fmt.Sprintf("%s has %s of what the scheduler permits provisioned", a.first.Name(), format.Percent(s.provisioned))
}

func (a *array) figures(volumes int) Figures {
	f := Figures{Volumes: volumes}
	if a.known {
		s := a.shares
		f.Used, f.Provisioned = &s.used, &s.provisioned
	}
	return f
}

// obstacle is why a volume cannot be moved anywhere; "" if it can be. Cinder refuses some
// (cinder/volume/api.py, migrate_volume), and Nova others, which Cinder finds only when it
// has created the copy (nova/compute/api.py, swap_volume; for encrypted volumes
// nova/virt/libvirt/driver.py).
func obstacle(v *Volume) string {
	var why []string
	if refusal := apiRefusal(v); refusal != "" {
		why = append(why, refusal)
	}
	if v.InUse {
		switch {
		case v.Attachments > 1:
			why = append(why, "it has several attachments, and Nova does not copy such a volume")
		case v.Unserved > 0:
			why = append(why, "it is attached to no server, and only Nova copies a volume in use")
		}
		if v.Encrypted {
			why = append(why, "it is encrypted and in use, and Nova does not copy such a volume")
		}
	}
	return strings.Join(why, "; ")
}

// compareVolumes orders by the identifier, so that the same pool gives the same plan.
func compareVolumes(a, b Volume) int { return cmp.Compare(a.ID, b.ID) }

// byFullness orders arrays, the fullest first.
func (s *state) byFullness(list []int) {
	slices.SortStableFunc(list, func(i, j int) int {
		a, b := s.arrays[i].shares.full(), s.arrays[j].shares.full()
		return cmp.Or(cmp.Compare(b, a), cmp.Compare(s.arrays[i].pool, s.arrays[j].pool))
	})
}
