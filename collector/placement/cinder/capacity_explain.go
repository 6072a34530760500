package cinder

import (
	"fmt"
	"strconv"

	"github.com/poolcast/poolcast/collector/placement"
)

// Explain shows the arithmetic.
func (f capacityFilter) Explain(_ placement.Request, b *placement.Backend) string {
	v, err := f.verdict(b)
	if err != nil {
		return err.Error()
	}
	p := &f.rows[b.Index()]
	switch v.shortage {
	case noFree:
		return "free_capacity_gb is null: cinder-volume could not read it"
	case noTotal:
		return fmt.Sprintf("total %s is not above 0", gib(p.totalGiB))
	case unknownReserve:
		return fmt.Sprintf("cannot reserve %s%% of a total that is infinite or unknown", plain(p.reserved*100))
	case badRatio:
		return fmt.Sprintf("over-subscription ratio %s is below 1", plain(p.ratio))
	case overRatio:
		return fmt.Sprintf("provisioned ratio %s > %s: (provisioned %s + %s) / %s",
			strconv.FormatFloat(v.ratio, 'g', 6, 64), plain(p.ratio), plain(b.Space().Provisioned), gib(f.want), gib(v.room.available))
	}
	return fmt.Sprintf("virtual free %s %s %s: %s",
		gib(v.room.virtual), sign(v.shortage), gib(f.want), p.arithmetic(b, f.thin))
}

func sign(s shortage) string {
	if s == enough {
		return ">="
	}
	return "<"
}

// Explain shows where the virtual free capacity comes from.
func (w capacityWeigher) Explain(_ placement.Request, b *placement.Backend) string {
	p := &w.rows[b.Index()]
	if p.free == boundless || p.total == boundless {
		return "capacity is infinite or unknown"
	}
	r, err := p.room(b, w.thin)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("virtual free %s: %s", gib(r.virtual), p.arithmetic(b, w.thin))
}

// arithmetic is how room came to its virtual free capacity.
func (p *pool) arithmetic(b *placement.Backend, thin bool) string {
	space := b.Space()
	total := "total " + plain(p.totalGiB)
	reserve := p.totalGiB - p.thickAvailable
	if reserve != 0 {
		total += " - reserved " + plain(reserve)
	}
	if thin && p.thin {
		if reserve != 0 {
			total = "(" + total + ")"
		}
		return fmt.Sprintf("%s × ratio %s - provisioned %s", total, plain(p.ratio), plain(space.Provisioned))
	}
	sum := fmt.Sprintf("%s - provisioned %s", total, plain(space.Provisioned))
	if space.Free < p.thickAvailable-space.Provisioned {
		return fmt.Sprintf("free %s, which is less than %s", plain(space.Free), sum)
	}
	return fmt.Sprintf("%s, free %s", sum, plain(space.Free))
}

func gib(f float64) string { return plain(f) + " GiB" }

// plain prints a number to 2 decimals, without the ones that say nothing.
func plain(f float64) string { return strconv.FormatFloat(round2(f), 'f', -1, 64) }
