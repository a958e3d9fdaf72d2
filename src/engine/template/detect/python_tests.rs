//! What is seen of Python repositories, as tables of files.

use super::*;

fn python(files: &[(&str, &str)]) -> Python {
    detect(&Tree::of_texts(files)).unwrap()
}

fn app(files: &[(&str, &str)]) -> App {
    let found = python(files);
    found.app.unwrap_or_else(|| panic!("{:?}", found.problem))
}

const MAIN: &str =
    "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get(\"/\")\ndef root():\n    return {}\n";

#[test]
fn layouts_give_the_module_a_test_imports() {
    for (path, others, module, root) in [
        ("main.py", &[][..], "main", "."),
        ("app/main.py", &["app/__init__.py"][..], "app.main", "."),
        ("app/main.py", &[][..], "app.main", "."),
        ("src/main.py", &[][..], "main", "src"),
        ("src/shop/main.py", &["src/shop/__init__.py"][..], "shop.main", "src"),
        (
            "src/shop/api/app.py",
            &["src/shop/__init__.py", "src/shop/api/__init__.py"][..],
            "shop.api.app",
            "src",
        ),
        ("src/shop/main.py", &[][..], "shop.main", "src"),
        ("shop/__init__.py", &[][..], "shop", "."),
        ("backend/app/main.py", &["backend/app/__init__.py"][..], "app.main", "backend"),
    ] {
        let mut files: Vec<(&str, &str)> = others.iter().map(|p| (*p, "")).collect();
        files.push((path, MAIN));
        let found = app(&files);
        assert_eq!((found.module.as_str(), found.root.as_str()), (module, root), "{path}");
    }
    let siblings = MAIN.replace("from fastapi import", "from models import X\nfrom fastapi import");
    let found = app(&[("api/main.py", &siblings), ("api/models.py", "")]);
    assert_eq!((found.module.as_str(), found.root.as_str()), ("main", "api"));
}

#[test]
fn apps_are_found_by_any_name_and_the_place_is_right_after_them() {
    for (source, name, line) in [
        (MAIN, "app", 3),
        ("import fastapi\nservice: fastapi.FastAPI = fastapi.FastAPI(\n    title=\"x\",\n)\n", "service", 4),
        (
            "from fastapi import FastAPI\napp = FastAPI()\napp.add_middleware(\n  X)\napp.include_router(r)\n",
            "app",
            4,
        ),
        ("\"\"\"app = FastAPI()\"\"\"\nfrom fastapi import FastAPI\r\napi = FastAPI()\r\n", "api", 3),
    ] {
        let found = app(&[("main.py", source)]);
        assert_eq!((found.name.as_str(), found.line), (name, line), "{source}");
    }
}

#[test]
fn names_routes_and_indentation_are_seen() {
    let source = "from fastapi import FastAPI, APIRouter\nimport health\napp = FastAPI()\nr = APIRouter(prefix=\"/v1\")\n\
                  @app.get(\n\t'/items/{id}',\n)\ndef item(id):\n\treturn \"health_check\"\napp.mount(\"/static\", x)\n";
    let found = app(&[("main.py", source)]);
    assert_eq!(found.handler, "health_check");
    assert_eq!(found.indent, "\t");
    let routes: Vec<_> = found.routes.iter().map(String::as_str).collect();
    assert_eq!(routes, ["/items/{id}", "/static", "/v1"]);
}

#[test]
fn what_cannot_be_extended_says_why() {
    let factory = "from fastapi import FastAPI\ndef make():\n    app = FastAPI()\n    return app\n";
    for (files, why) in [
        (vec![("a.py", factory)], "inside a function"),
        (vec![("a.py", "from fastapi import APIRouter\nr = APIRouter()\n")], "no module has an app"),
        (vec![("a.py", MAIN), ("b.py", MAIN)], "not the only place"),
        (vec![("my-app.py", MAIN)], "cannot be imported"),
    ] {
        let found = python(&files);
        assert!(found.app.is_none());
        assert!(found.problem.as_ref().is_some_and(|p| p.why.contains(why)), "{:?}", found.problem);
    }
    assert_eq!(python(&[("a.py", "import flask\n")]).other_web.as_deref(), Some("flask"));
    assert!(python(&[("tests/a.py", MAIN)]).app.is_none());
}

#[test]
fn project_files_are_read() {
    let found = python(&[
        ("backend/main.py", MAIN),
        ("backend/requirements.txt", "FastAPI==1\n"),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\n[project]\ndependencies = [\"httpx>=0.2\", 'pytest']\n",
        ),
        ("test/x.py", ""),
    ]);
    assert!(found.pytest_config);
    assert_eq!(found.requirements.as_deref(), Some("backend/requirements.txt"));
    assert_eq!(found.tests, "test");
    assert!(["fastapi", "httpx", "pytest"].iter().all(|p| found.packages.contains(*p)));
}
