package publisher

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
)

// instance makes the IDs of one agent's messages: 16 hexadecimal digits that are
// the same in all of them, and a counter. So an agent recognises its own
// messages and tells other agents apart.
type instance struct {
	name  string // 16 hexadecimal digits
	count *uint64
}

func newInstance() instance {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return instance{name: hex.EncodeToString(b[:]), count: new(uint64)}
}

// next returns an ID that was not used before, and its counter. It is not for
// several goroutines at once.
func (i instance) next() (string, uint64) {
	*i.count++
	return fmt.Sprintf("%s%016x", i.name, *i.count), *i.count
}

// counter returns the counter of an ID, if the ID is one of this instance.
func (i instance) counter(id string) (uint64, bool) {
	if !fromAgent(id) || instanceOf(id) != i.name {
		return 0, false
	}
	n, err := strconv.ParseUint(id[16:], 16, 64)
	return n, err == nil
}

// fromAgent reports whether an agent made an ID. oslo.messaging makes them with
// uuid4 (oslo_messaging/_drivers/amqp.py, _add_unique_id), whose 17th digit is
// 8, 9, a or b; here it is the first of a counter.
func fromAgent(id string) bool { return len(id) == 32 && id[16] == '0' }

// instanceOf returns the name of the agent that made an ID.
func instanceOf(id string) string { return id[:min(len(id), 16)] }
