package cinder

import (
	"fmt"
	"strconv"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Explain shows the arithmetic.
func (c *capacityFilter) Explain(_ placement.Request, b *placement.Backend) string {
	short, err := c.verdict(b)
	if err != nil {
		return err.Error()
	}
	p := &c.rows[b.Index()]
	switch short {
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
			strconv.FormatFloat(c.provisionedRatio(p, b), 'g', 6, 64), plain(p.ratio),
			plain(b.Space().Provisioned), gib(c.want), gib(p.thinRounded))
	case noVirtual:
		return p.compared(b, c.thin) + " < " + gib(c.want) + ": " + p.arithmetic(b, c.thin)
	}
	return ""
}

// Explain shows where the virtual free capacity comes from.
func (w *capacityWeigher) Explain(_ placement.Request, b *placement.Backend) string {
	p := &w.rows[b.Index()]
	if p.free == boundless || p.total == boundless {
		return "capacity is infinite or unknown"
	}
	return p.compared(b, w.thin) + ": " + p.arithmetic(b, w.thin)
}

func (p *pool) compared(b *placement.Backend, thin bool) string {
	virtual, err := p.virtualFree(b, thin)
	if err != nil {
		return err.Error()
	}
	return "virtual free " + gib(virtual)
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
func plain(f float64) string { return strconv.FormatFloat(python.Round2(f), 'f', -1, 64) }
