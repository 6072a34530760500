package publisher

import (
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rightError is an operation that the broker refused, with the right that it needs.
type rightError struct {
	err   error
	right string
}

// Error is that of the broker.
func (e *rightError) Error() string { return e.err.Error() }

// Unwrap returns the error of the broker.
func (e *rightError) Unwrap() error { return e.err }

// withRight adds the right that an operation needs, if the broker refused it.
func withRight(err error, right string) error {
	var e *amqp.Error
	if !errors.As(err, &e) || e.Code != amqp.AccessRefused {
		return err
	}
	return &rightError{err, right}
}

// explainRight is explain with the right that is missing.
func explainRight(err error) error {
	var r *rightError
	if errors.As(err, &r) {
		return fmt.Errorf("%w; the user needs the right %s", explain(err), r.right)
	}
	return explain(err)
}
