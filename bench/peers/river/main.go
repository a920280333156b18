// River. The arguments are those of ../peer.py. Best: the settings of `river bench`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const batch = 1000

type mail struct {
	To     string `json:"to"`
	Number int    `json:"number"`
}

func (mail) Kind() string { return "mail" }

// Counts which jobs ran, and how often.
type tally struct {
	river.WorkerDefaults[mail]
	mutex sync.Mutex
	runs  int
	seen  map[int]bool
}

func (t *tally) Work(_ context.Context, job *river.Job[mail]) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.runs++
	t.seen[job.Args.Number] = true
	return nil
}

func (t *tally) count() int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.runs
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func expect(what string, is, shouldBe int) {
	if is != shouldBe {
		must(fmt.Errorf("%s: %d instead of %d", what, is, shouldBe))
	}
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/riverqueue/river" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "?"
}

type trial struct {
	ctx     context.Context
	pool    *pgxpool.Pool
	client  *river.Client[pgx.Tx]
	setting string
	jobs    *tally
	workers int
}

func (t *trial) best() bool { return t.setting == "best" }

func (t *trial) report(question, what string, n int, took time.Duration, how string) {
	line, err := json.Marshal(map[string]any{"system": "River", "version": version(), "setting": t.setting, "how": how,
		"question": question, "case": what, "n": n, "seconds": took.Seconds()})
	must(err)
	fmt.Println(string(line))
}

func (t *trial) waiting() (n int) {
	must(t.pool.QueryRow(t.ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&n))
	return n
}

func (t *trial) run(sql string) {
	_, err := t.pool.Exec(t.ctx, sql)
	must(err)
}

func (t *trial) insertMany(n int) {
	for begin := 0; begin < n; begin += batch {
		params := make([]river.InsertManyParams, min(batch, n-begin))
		for i := range params {
			params[i].Args = mail{To: "ada@example.org", Number: begin + i}
		}
		if t.best() {
			_, err := t.client.InsertManyFast(t.ctx, params)
			must(err)
		} else {
			_, err := t.client.InsertMany(t.ctx, params)
			must(err)
		}
	}
}

func (t *trial) enqueue(one, many int) {
	begin := time.Now()
	for i := range one {
		_, err := t.client.Insert(t.ctx, mail{To: "ada@example.org", Number: i}, nil)
		must(err)
	}
	took := time.Since(begin)
	expect("jobs enqueued", t.waiting(), one)
	t.report("enqueue", "one at a time", one, took, "Insert")
	t.run("TRUNCATE river_job")

	begin = time.Now()
	t.insertMany(many)
	took = time.Since(begin)
	expect("jobs enqueued", t.waiting(), many)
	how := "InsertMany"
	if t.best() {
		how = "InsertManyFast"
	}
	t.report("enqueue", fmt.Sprintf("batch %d", batch), many, took, how)
	t.run("TRUNCATE river_job")
}

func (t *trial) drain(n int, how string) {
	t.insertMany(n)
	t.run("VACUUM ANALYZE")
	t.run("CHECKPOINT")
	begin := time.Now()
	must(t.client.Start(t.ctx))
	for t.jobs.count() < n || t.waiting() > 0 {
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(begin)
	must(t.client.StopAndCancel(t.ctx))
	expect("executions", t.jobs.count(), n)
	expect("different jobs executed", len(t.jobs.seen), n)
	t.report("drain", fmt.Sprintf("batch %d", t.workers), n, took, how)
}

func main() {
	var sizes [3]int
	for i := range sizes {
		n, err := strconv.Atoi(os.Args[2+i])
		must(err)
		sizes[i] = n
	}
	t := &trial{ctx: context.Background(), setting: os.Args[1], workers: 100, jobs: &tally{seen: map[int]bool{}}}
	var err error
	t.pool, err = pgxpool.New(t.ctx, "")
	must(err)
	driver := riverpgxv5.New(t.pool)
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	must(err)
	_, err = migrator.Migrate(t.ctx, rivermigrate.DirectionUp, nil)
	must(err)

	workers := river.NewWorkers()
	river.AddWorker(workers, t.jobs)
	config := &river.Config{Logger: quiet, Workers: workers}
	how := "MaxWorkers 100 as in its documentation, FetchCooldown 100 ms"
	if t.best() {
		t.workers = 2000
		config.FetchCooldown = 2 * time.Millisecond
		config.FetchPollInterval = 20 * time.Millisecond
		how = "MaxWorkers 2000, FetchCooldown 2 ms as in river bench"
	}
	config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: t.workers}}
	t.client, err = river.NewClient(driver, config)
	must(err)
	t.enqueue(sizes[0], sizes[1])
	t.drain(sizes[2], how)
}
