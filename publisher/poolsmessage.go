package publisher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

const (
	// maxPoolsBody bounds a list: thousands of pools have a tenth of it.
	maxPoolsBody = 64 << 20
	// maxFailure bounds the text of a scheduler's failure, in characters.
	maxFailure = 300
)

// encodePoolsCall returns the body of the call get_pools
// (oslo_messaging/_drivers/amqpdriver.py, AMQPDriverBase._send). The reply goes to a
// queue through the default exchange. Without _timeout no heartbeats are sent for the
// call. A filter is not used: Cinder 21 fails with the filter volume_type.
func encodePoolsCall(id, queue string, now time.Time) ([]byte, error) {
	inner := requestContext(message{id: id, stamp: now})
	inner["method"], inner["version"], inner["namespace"] = "get_pools", poolsVersion, nil
	inner["args"] = map[string]any{"filters": map[string]any{}}
	inner["_unique_id"], inner["_msg_id"], inner["_reply_q"], inner["_timeout"] = id, id, queue, nil
	body, err := wrap(inner)
	if err != nil {
		return nil, fmt.Errorf("encode the call: %w", err)
	}
	return body, nil
}

// poolsReply is the result of a call.
type poolsReply struct {
	result json.RawMessage
	// incomplete is whether NaN and Infinity, which Python writes and JSON does not
	// have, were replaced by null.
	incomplete bool
}

// decodeReply returns the result of a call. It is nil for a message without a result:
// one for another call, a heartbeat, or the end of a reply whose result came before.
func decodeReply(body []byte, id string) (*poolsReply, error) {
	if len(body) > maxPoolsBody {
		return nil, fmt.Errorf("the reply has %d bytes, which is more than a list of pools has", len(body))
	}
	inner, err := unwrap(body)
	if err != nil {
		return nil, err
	}
	var reply struct {
		ID      string          `json:"_msg_id"`
		Result  json.RawMessage `json:"result"`
		Failure *string         `json:"failure"`
		Ending  bool            `json:"ending"`
	}
	incomplete, err := unmarshal(inner, &reply)
	if err != nil {
		return nil, fmt.Errorf("read the reply: %w", err)
	}
	null := len(reply.Result) == 0 || bytes.Equal(reply.Result, []byte("null"))
	switch {
	case reply.ID != id:
		return nil, nil
	case reply.Failure != nil:
		return nil, schedulerFailure(*reply.Failure)
	case null && reply.Ending:
		return nil, errors.New("the scheduler replied without a list")
	case null:
		return nil, nil
	}
	return &poolsReply{reply.Result, incomplete}, nil
}

// schedulerFailure is the error of a scheduler that raised an exception
// (oslo_messaging/_drivers/common.py, serialize_remote_exception). Its traceback is in
// the scheduler's log.
func schedulerFailure(text string) error {
	var failure struct {
		Class   string `json:"class"`
		Message string `json:"message"`
	}
	if json.Unmarshal([]byte(text), &failure) != nil || failure.Class == "" {
		return errors.New("the scheduler failed without a reason; its log has it")
	}
	reason := failure.Class
	if message := strings.TrimSpace(failure.Message); message != "" {
		reason += ": " + message
	}
	return fmt.Errorf("the scheduler failed with %s; its log has the traceback", format.Shorten(format.Printable(reason), maxFailure))
}

// ParsePools reads the result of get_pools, or the API's list of pools: objects with
// the name and the capabilities of a pool.
func ParsePools(list []byte) ([]SchedulerPool, error) {
	var pools []SchedulerPool
	if err := json.Unmarshal(list, &pools); err != nil {
		return nil, fmt.Errorf("read the list of pools: %w", err)
	}
	for i, p := range pools {
		name := format.Shorten(format.Printable(p.Name), maxFailure)
		switch backend, _, _ := strings.Cut(p.Name, "#"); {
		case !strings.Contains(backend, "@"):
			return nil, fmt.Errorf("read the list of pools: entry %d has the name %q, not host@backend#pool", i+1, name)
		case p.Capabilities == nil:
			return nil, fmt.Errorf("read the list of pools: entry %d, %s, has no capabilities", i+1, name)
		}
	}
	return pools, nil
}
