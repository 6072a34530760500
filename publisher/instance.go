package publisher

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// instance makes the IDs of one publisher's messages. Their first half is the
// same in all of them, so that a publisher knows its own words when it hears
// them, and can tell other agents apart.
type instance struct {
	name  string // 16 hexadecimal digits
	count *uint64
}

func newInstance() instance {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program rather
	return instance{name: hex.EncodeToString(b[:]), count: new(uint64)}
}

// next returns an ID that was not used before. It is not for several
// goroutines at once.
func (i instance) next() string {
	*i.count++
	return fmt.Sprintf("%s%016x", i.name, *i.count)
}

func (i instance) owns(id string) bool { return strings.HasPrefix(id, i.name) }

// instanceOf returns the name of the agent that made an ID.
func instanceOf(id string) string { return id[:min(len(id), 16)] }
