package bulk

import "fmt"

// Statement is one write with its arguments: int64, int, string, []byte or Raw.
type Statement struct {
	SQL  string
	Args []any
	// Rows, when not negative, is how many rows it must touch; Err is returned when others do.
	Rows int64
	Err  error
}

// Raw is an argument in PostgreSQL's binary form.
type Raw []byte

// Part is one step of a batch: a statement, or rows of one form.
type Part struct {
	One  Statement
	Many *Rows
}

// StatementError says which statement failed, by its first words, without its arguments.
type StatementError struct {
	SQL string
	Err error
}

func (e *StatementError) Error() string { return fmt.Sprintf("%.24s...: %v", e.SQL, e.Err) }

// Unwrap gives the database's error.
func (e *StatementError) Unwrap() error { return e.Err }
