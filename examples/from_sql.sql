-- A table of somebody's, and a trigger that has each order shipped: the order and its job are both there, or neither is.
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
