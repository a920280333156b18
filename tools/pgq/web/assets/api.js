// The interface of the server. Addresses are relative, so it works below any path of a proxy.

export class ApiError extends Error {
    constructor(status, message, hint) {
        super(hint ? `${message} (${hint})` : message);
        this.status = status;
    }
}

async function answer(response) {
    let body = null;
    try { body = await response.json(); } catch { /* a proxy answers with HTML */ }
    if (response.ok && body) return body;
    throw new ApiError(response.status, body?.error?.message ?? `the server answered ${response.status}`,
        body?.error?.hint);
}

export async function get(path, parameters = {}, signal = undefined) {
    const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== "" && v !== undefined));
    const text = query.toString();
    return answer(await fetch(`api/${path}${text ? `?${text}` : ""}`, {signal}));
}

export async function post(path, body) {
    return answer(await fetch(`api/${path}`, {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(body),
    }));
}
