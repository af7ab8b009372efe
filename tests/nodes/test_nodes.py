"""A site of three nodes, as its users see it: one site, whichever node answers."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.nodes.cluster import Cluster, until
from tests.nodes.people import (
    BROWSER,
    PEOPLE,
    authorization,
    cookie_of,
    exchange,
    hidden_fields,
    query_of,
    refreshing,
    sign_in,
    tokens_for,
)


def test_whoever_signs_in_through_nginx_is_known_to_every_node(cluster: Cluster) -> None:
    with cluster.nginx.client(**BROWSER) as browser:
        sign_in(browser)
        assert list(browser.cookies) != []
        asked = [browser.get("/auth/session") for _ in range(6)]
        assert {response.status_code for response in asked} == {200}
        assert len({response.json()["session"]["id"] for response in asked}) == 1
        assert {cluster.nginx.node_of(response) for response in asked} == {
            node.port for node in cluster.nodes
        }


def test_whoever_signs_out_at_one_node_is_refused_by_all_of_them(cluster: Cluster) -> None:
    with cluster.nginx.client(**BROWSER) as browser:
        sign_in(browser, PEOPLE[1])
        cookie = cookie_of(browser)
        assert all(node.knows(cookie) for node in cluster.nodes)
        assert browser.post("/auth/sign-out").status_code == 303
        until(lambda: not any(node.knows(cookie) for node in cluster.nodes))
        assert not any(node.knows(cookie) for node in cluster.nodes)


def test_a_refresh_token_that_one_node_issued_is_taken_by_the_next(cluster: Cluster) -> None:
    with cluster.nginx.client() as client:
        tokens = tokens_for(client, PEOPLE[2])
    for node in cluster.nodes:
        response = node.post("/auth/token", refreshing(tokens["refresh_token"]))
        assert response.status_code == 200, response.text
        tokens = response.json()
    assert cluster.statuses(tokens["access_token"]) == {200}


def test_a_refresh_that_is_sent_again_to_another_node_has_the_same_answer(cluster: Cluster) -> None:
    with cluster.nginx.client() as client:
        tokens = tokens_for(client, PEOPLE[2])
    answers = [node.post("/auth/token", refreshing(tokens["refresh_token"])) for node in cluster.nodes]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_a_refresh_token_that_was_used_long_ago_ends_all_that_came_of_it_at_every_node(
    cluster: Cluster,
) -> None:
    with cluster.nginx.client() as client:
        stolen = tokens_for(client, PEOPLE[2])["refresh_token"]
    first, second, _ = cluster.nodes
    tokens = first.post("/auth/token", refreshing(stolen)).json()
    with psycopg.connect(cluster.database) as connection:
        connection.execute("UPDATE refresh_tokens SET rotated_at = rotated_at - 60")
    assert second.post("/auth/token", refreshing(stolen)).status_code == 400
    until(lambda: cluster.statuses(tokens["access_token"]) == {401})


def test_the_way_to_a_code_and_a_token_may_lead_over_another_node_at_each_step(cluster: Cluster) -> None:
    first, second, third = cluster.nodes
    with cluster.nginx.client(**BROWSER) as browser:
        asked = browser.get("/auth/authorize", params=authorization())
        way = query_of(asked.headers["location"])["next"]
        sign_in(browser, PEOPLE[3], then=way)
        page = browser.get(way)
        assert page.status_code == 200, page.headers
        allowed = browser.post(way, data={**hidden_fields(page), "decision": "allow"})
        steps = [asked, page, allowed]
        assert len({cluster.nginx.node_of(response) for response in steps}) > 1
    code = query_of(allowed.headers["location"])["code"]
    issued = first.post("/auth/token", exchange(code))
    assert issued.status_code == 200, issued.text
    refreshed = second.post("/auth/token", {**refreshing(issued.json()["refresh_token"]), "client_id": "app"})
    assert refreshed.status_code == 200, refreshed.text
    bearer = f"Bearer {refreshed.json()['access_token']}"
    assert third.get("/auth/userinfo", Authorization=bearer).json()["email"] == PEOPLE[3]
    assert third.post("/auth/token", exchange(code)).status_code == 400


def test_a_form_of_another_site_is_refused_whichever_node_is_asked(cluster: Cluster) -> None:
    with cluster.nginx.client(**BROWSER) as browser:
        sign_in(browser, PEOPLE[4])
        cookie = cookie_of(browser)
        forged = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        for _ in cluster.nodes:
            assert browser.post("/auth/sign-out", headers=forged).status_code == 403
        assert all(node.knows(cookie) for node in cluster.nodes)


def test_cookies_are_those_of_production(cluster: Cluster) -> None:
    with cluster.nginx.client(**BROWSER) as browser:
        response = sign_in(browser, PEOPLE[4])
    cookies = response.headers.get_list("set-cookie")
    assert len(cookies) == 2  # the session, and that this device is known
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; ")), cookie
        assert "Domain" not in cookie


def test_all_nodes_show_one_set_of_keys(cluster: Cluster) -> None:
    shown = [node.get("/auth/.well-known/jwks.json").json() for node in cluster.nodes]
    assert shown[0]["keys"]
    assert shown == [shown[0]] * 3


def test_limits_on_guessing_count_over_all_nodes(cluster: Cluster) -> None:
    guess = {"email": PEOPLE[5], "password": "not the one"}
    nodes = cluster.nodes * 4
    with ThreadPoolExecutor(len(nodes)) as guessers:
        answers = list(guessers.map(lambda node: node.post("/auth/sign-in", guess, **BROWSER), nodes))
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 2


def test_a_command_beside_them_ends_what_all_of_them_know(cluster: Cluster) -> None:
    with cluster.nginx.client() as client:
        tokens = tokens_for(client, PEOPLE[6])
    assert cluster.statuses(tokens["access_token"]) == {200}
    cluster.command("revoke", "user", PEOPLE[6])
    until(lambda: cluster.statuses(tokens["access_token"]) == {401})
