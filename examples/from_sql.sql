-- A table of an application, and a trigger that enqueues a job for each new order. The order and its job are committed
-- together, or not at all.
CREATE TABLE orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL,
    items    text[] NOT NULL,
    express  boolean NOT NULL DEFAULT false,
    note     text,
    at       timestamptz NOT NULL DEFAULT date_trunc('second', now())
);

CREATE FUNCTION ship() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pgq_jobs.enqueue_ship_order(
        "order" => NEW.id, customer => NEW.customer, items => NEW.items, express => NEW.express, note => NEW.note,
        ordered_at => NEW.at,
        priority => CASE WHEN NEW.express THEN 10 ELSE 0 END,
        headers => jsonb_build_object('table', TG_TABLE_NAME));
    RETURN NEW;
END $$;

CREATE TRIGGER ship_new_orders AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION ship();
