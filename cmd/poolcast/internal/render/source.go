package render

import (
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
)

// addSource adds what a result was computed on, as its last lines.
func addSource(p *text.Page, set *backends.Set) {
	p.Line("")
	for _, line := range set.Lines(time.Now()) {
		p.Wrapped("", line)
	}
}
