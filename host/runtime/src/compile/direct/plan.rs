//! Whether a component is of the simple form, and what its module is linked to
//! then. The form is that in which tools write one module as a component:
//!
//! ```text
//!  shim ──► main ──► exports        shim: functions that call through a table
//!   ▲ table                         main: the author's module, with its memory
//!  fixup ◄── imports, lowered       fixup: writes the imports to the table
//! ```
//! The shim is there since imports need the memory of the module which they are
//! given to. Nothing else is in such a component, so that what each import of the
//! module stands for is known without running it.

use std::collections::HashMap;

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentDefinedType, ComponentInstance, ComponentValType,
    Export, Instance, PrimitiveValType, ValType,
};

use super::graph::{ComponentPart, CoreFunction, Function, Graph, Of, Type};
use super::shim;
use crate::compile::pieces::HEADER_LEN;

/// What the module of a component is linked to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Which of the component's modules it is.
    pub(super) module: usize,
    /// What each of its imports stands for.
    pub(super) imports: HashMap<(String, String), Target>,
    /// Its exports which are of use, by new names.
    pub(super) exports: Vec<(String, String)>,
    /// Whether it has WebSocket handlers, which need the glue.
    pub(super) has_websocket: bool,
}

/// What an import stands for: a function of an interface, or what drops one of
/// its resources. The interface has as much of its version as matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) interface: String,
    pub(super) name: String,
}

/// The functions of an interface, as they are exported from now on.
type Interface = (&'static str, &'static [(&'static str, &'static str)]);

const HANDLER: Interface = (
    "holdfast:websocket/websocket-handler-sync@0.1",
    &[
        ("accept", "accept"),
        ("open", "open"),
        ("receive", "receive"),
        ("close", "close"),
    ],
);

const ATTACHMENTS: Interface = (
    "holdfast:websocket/attachments@0.1",
    &[("format", "format"), ("migrate", "migrate")],
);

const HTTP: Interface = ("wasi:http/handler@0.3", &[("handle", "handle")]);

/// Interfaces whose handlers are called otherwise.
const NOT_DIRECT: [&str; 2] = [
    "holdfast:websocket/websocket-handler@",
    "wasi:http/incoming-handler@",
];

/// Where built-in functions of the component model are, for modules.
const BUILT_IN: &str = "holdfast:direct";

const HTTP_TYPES: &str = "wasi:http/types@0.3";

impl Plan {
    /// None if the component is not of that form.
    pub(super) fn of(graph: &Graph<'_>) -> Option<Self> {
        Planner::new(graph)?.plan()
    }
}

struct Planner<'g, 'a> {
    graph: &'g Graph<'a>,
    /// The author's module, as an instance.
    main: u32,
    arguments: HashMap<&'a str, u32>,
    module: u32,
    /// The shim, if the imports need one, and what its functions call.
    shim: Option<(u32, HashMap<&'a str, u32>)>,
    memory: &'a str,
    realloc: Option<&'a str>,
}

/// Options of a function, besides those which are the same for all.
#[derive(Default)]
struct Options<'a> {
    post_return: Option<&'a str>,
    callback: Option<&'a str>,
    is_async: bool,
}

impl<'g, 'a> Planner<'g, 'a> {
    fn new(graph: &'g Graph<'a>) -> Option<Self> {
        let mut made = Vec::new();
        for (index, instance) in (0..).zip(&graph.instances) {
            if let Instance::Instantiate { module_index, args } = instance {
                let arguments = args.iter().map(|arg| (arg.name, arg.index));
                made.push((index, *module_index, arguments.collect::<HashMap<_, _>>()));
            }
        }
        let (first, others) = graph.memories.split_first()?;
        if others.iter().any(|other| other != first) {
            return None;
        }
        let (memory_of, memory) = first;
        let position = made.iter().position(|(index, ..)| index == memory_of)?;
        let (main, module, arguments) = made.remove(position);
        let shim = match made.as_slice() {
            [] => None,
            [(shim, shim_module, none), (_, fixup_module, given)] if none.is_empty() => {
                let modules = (
                    graph.modules.get(*shim_module as usize).copied()??,
                    graph.modules.get(*fixup_module as usize).copied()??,
                );
                shim::check(modules)?;
                Some((*shim, fixed_up(graph, *shim, given)?))
            }
            _ => return None,
        };
        Some(Self {
            graph,
            main,
            arguments,
            module,
            shim,
            memory,
            realloc: None,
        })
    }

    fn plan(mut self) -> Option<Plan> {
        let is_other = |name: &str| NOT_DIRECT.iter().any(|other| name.starts_with(other));
        if self.graph.exports.iter().any(|(name, ..)| is_other(name)) || !is_quiet(self.graph) {
            return None;
        }
        let websocket = self.interface(&HANDLER)?;
        let http = self.interface(&HTTP)?;
        let has_websocket = websocket.is_some();
        if !has_websocket && http.is_none() {
            return None;
        }
        let mut exports = websocket.unwrap_or_default();
        exports.extend(http.unwrap_or_default());
        exports.extend(self.interface(&ATTACHMENTS)?.unwrap_or_default());
        let imports = self.imports()?;
        exports.push(("memory".to_owned(), self.memory.to_owned()));
        if let Some(realloc) = self.realloc {
            exports.push(("realloc".to_owned(), realloc.to_owned()));
        } else if has_websocket {
            return None;
        }
        Some(Plan {
            module: self.module as usize,
            imports,
            exports,
            has_websocket,
        })
    }

    /// What each import of the module stands for.
    fn imports(&mut self) -> Option<HashMap<(String, String), Target>> {
        let mut imports = HashMap::new();
        let arguments: Vec<_> = self.arguments.iter().map(|(n, i)| (*n, *i)).collect();
        for (module, instance) in arguments {
            let Instance::FromExports(exports) = self.graph.instances.get(instance as usize)?
            else {
                return None;
            };
            for export in exports {
                let target = self.target(export.index)?;
                imports.insert((module.to_owned(), export.name.to_owned()), target);
            }
        }
        Some(imports)
    }

    fn target(&mut self, function: u32) -> Option<Target> {
        let graph = self.graph;
        match graph.core_functions.get(function as usize)? {
            CoreFunction::OfInstance((instance, name)) => {
                let (shim, fixed_up) = self.shim.as_ref()?;
                let function = *fixed_up.get(name).filter(|_| instance == shim)?;
                match graph.core_functions.get(function as usize)? {
                    CoreFunction::Canonical(function) => self.canonical(function),
                    CoreFunction::OfInstance(_) => None,
                }
            }
            CoreFunction::Canonical(function) => self.canonical(function),
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) -> Option<Target> {
        let (of, prefix) = match function {
            CanonicalFunction::Lower {
                func_index,
                options,
            } => {
                let prefix = match self.agree(options)?.is_async {
                    true => "[async]",
                    false => "",
                };
                match self.graph.function(*func_index)? {
                    Function::OfInstance(of) => (*of, prefix),
                    _ => return None,
                }
            }
            CanonicalFunction::ResourceDrop { resource } => match self.graph.kind(*resource)? {
                Type::OfInstance(of) => (*of, "[resource-drop]"),
                _ => return None,
            },
            other => {
                return Some(Target {
                    interface: BUILT_IN.to_owned(),
                    name: self.built_in(other)?,
                });
            }
        };
        let (instance, name) = of;
        match self.graph.part(instance)? {
            ComponentPart::Imported(interface) => Some(Target {
                interface: compatible(interface),
                name: format!("{prefix}{name}"),
            }),
            _ => None,
        }
    }

    /// The name of a built-in function, with that of what it is about.
    fn built_in(&mut self, function: &CanonicalFunction) -> Option<String> {
        use CanonicalFunction as F;
        let flow = |kind: u32| Flows(self.graph).name(kind);
        let name = match function {
            F::TaskReturn {
                result: Some(result),
                ..
            } if Flows(self.graph).is_response(result) => "task.return".to_owned(),
            F::TaskCancel => "task.cancel".to_owned(),
            F::SubtaskDrop => "subtask.drop".to_owned(),
            F::SubtaskCancel { .. } => "subtask.cancel".to_owned(),
            F::ContextGet {
                ty: ValType::I32,
                slot,
            } => format!("context.get-{slot}"),
            F::ContextSet {
                ty: ValType::I32,
                slot,
            } => format!("context.set-{slot}"),
            F::WaitableSetNew => "waitable-set.new".to_owned(),
            F::WaitableSetDrop => "waitable-set.drop".to_owned(),
            F::WaitableSetPoll { .. } => "waitable-set.poll".to_owned(),
            F::WaitableJoin => "waitable.join".to_owned(),
            F::StreamNew { ty } | F::FutureNew { ty } => format!("{}.new", flow(*ty)?),
            F::StreamRead { ty, .. } | F::FutureRead { ty, .. } => format!("{}.read", flow(*ty)?),
            F::StreamWrite { ty, .. } | F::FutureWrite { ty, .. } => {
                format!("{}.write", flow(*ty)?)
            }
            F::StreamCancelRead { ty, .. } | F::FutureCancelRead { ty, .. } => {
                format!("{}.cancel-read", flow(*ty)?)
            }
            F::StreamCancelWrite { ty, .. } | F::FutureCancelWrite { ty, .. } => {
                format!("{}.cancel-write", flow(*ty)?)
            }
            F::StreamDropReadable { ty } | F::FutureDropReadable { ty } => {
                format!("{}.drop-readable", flow(*ty)?)
            }
            F::StreamDropWritable { ty } | F::FutureDropWritable { ty } => {
                format!("{}.drop-writable", flow(*ty)?)
            }
            _ => return None,
        };
        let is_agreed = match function {
            F::TaskReturn { options, .. } => !self.agree(options)?.is_async,
            // Others would have the guest's stack wait.
            F::StreamRead { options, .. }
            | F::StreamWrite { options, .. }
            | F::FutureRead { options, .. }
            | F::FutureWrite { options, .. } => self.agree(options)?.is_async,
            _ => true,
        };
        is_agreed.then_some(name)
    }

    /// Whether options are those of the simple form, and the same everywhere.
    fn agree(&mut self, options: &[CanonicalOption]) -> Option<Options<'a>> {
        let mut agreed = Options::default();
        for option in options {
            match option {
                CanonicalOption::UTF8 => {}
                // There is one, by whatever number.
                CanonicalOption::Memory(_) => {}
                CanonicalOption::Realloc(function) => {
                    let (instance, name) = self.of_main(*function)?;
                    let is_known = self.realloc.is_none_or(|realloc| realloc == name);
                    if instance != self.main || !is_known {
                        return None;
                    }
                    self.realloc = Some(name);
                }
                CanonicalOption::PostReturn(function) => {
                    agreed.post_return = Some(self.of_main(*function)?.1);
                }
                CanonicalOption::Callback(function) => {
                    agreed.callback = Some(self.of_main(*function)?.1);
                }
                CanonicalOption::Async => agreed.is_async = true,
                _ => return None,
            }
        }
        Some(agreed)
    }

    /// A function which the module exports.
    fn of_main(&self, function: u32) -> Option<Of<'a>> {
        match self.graph.core_functions.get(function as usize)? {
            CoreFunction::OfInstance(of) if of.0 == self.main => Some(*of),
            _ => None,
        }
    }

    /// New and old names of what the module exports for an interface; none if the
    /// component does not export the interface.
    fn interface(
        &mut self,
        (name, functions): &Interface,
    ) -> Option<Option<Vec<(String, String)>>> {
        let mut exports = self.graph.exports.iter();
        let Some((_, _, part)) = exports.find(|(export, ..)| compatible(export) == *name) else {
            return Some(None);
        };
        let mut found = Vec::new();
        for (function, new) in *functions {
            let lifted = self.exported(*part, function)?;
            let Function::Lifted { function, options } = self.graph.function(lifted)? else {
                return None;
            };
            let (_, old) = self.of_main(*function)?;
            found.push(((*new).to_owned(), old.to_owned()));
            let options = self.agree(options)?;
            // Only requests are handled by async functions.
            if options.is_async != (*name == HTTP.0) {
                return None;
            }
            if options.is_async {
                found.push((format!("{new}-callback"), options.callback?.to_owned()));
            }
            if let Some(old) = options.post_return {
                found.push((format!("{new}-end"), old.to_owned()));
            }
        }
        Some(Some(found))
    }

    /// The function which an instance exports by this name.
    fn exported(&self, part: u32, name: &str) -> Option<u32> {
        let ComponentPart::Made(made) = self.graph.part(part)? else {
            return None;
        };
        match made {
            ComponentInstance::FromExports(exports) => {
                let export = exports.iter().find(|export| export.name.name == name)?;
                Some(export.index)
            }
            // A component that gives what it is given other types.
            ComponentInstance::Instantiate {
                component_index,
                args,
            } => {
                let bytes = self.graph.components.get(*component_index as usize);
                let inner = Graph::read(bytes.copied()??.get(HEADER_LEN..)?).ok()?;
                let (_, _, index) = inner.exports.iter().find(|(it, ..)| *it == name)?;
                let Function::Imported(import) = inner.function(*index)? else {
                    return None;
                };
                let argument = args.iter().find(|argument| argument.name == *import)?;
                Some(argument.index)
            }
        }
    }
}

/// Streams and futures, of which those of HTTP are known.
struct Flows<'g, 'a>(&'g Graph<'a>);

impl Flows<'_, '_> {
    /// What a stream or future is of: bytes, what follows them, or whether they were
    /// sent.
    fn name(&self, kind: u32) -> Option<&'static str> {
        use ComponentDefinedType as T;
        let of = |kind: &ComponentValType| match kind {
            ComponentValType::Type(kind) => self.defined(*kind),
            ComponentValType::Primitive(_) => None,
        };
        match self.defined(kind)? {
            T::Stream(Some(ComponentValType::Primitive(PrimitiveValType::U8))) => Some("stream"),
            T::Future(Some(content)) => {
                let T::Result {
                    ok,
                    err: Some(error),
                } = of(content)?
                else {
                    return None;
                };
                if !self.is_of_http(error, "error-code") {
                    return None;
                }
                match ok {
                    None => Some("sent"),
                    Some(ok) => {
                        let T::Option(trailers) = of(ok)? else {
                            return None;
                        };
                        let T::Own(trailers) = of(trailers)? else {
                            return None;
                        };
                        let trailers = ComponentValType::Type(*trailers);
                        let names = ["trailers", "fields"];
                        let is_known = names.iter().any(|name| self.is_of_http(&trailers, name));
                        is_known.then_some("ending")
                    }
                }
            }
            _ => None,
        }
    }

    /// Whether it is what a handler of HTTP returns.
    fn is_response(&self, kind: &ComponentValType) -> bool {
        use ComponentDefinedType as T;
        let ComponentValType::Type(kind) = kind else {
            return false;
        };
        let Some(T::Result {
            ok: Some(ComponentValType::Type(ok)),
            err: Some(error),
        }) = self.defined(*kind)
        else {
            return false;
        };
        let Some(T::Own(response)) = self.defined(*ok) else {
            return false;
        };
        let response = ComponentValType::Type(*response);
        self.is_of_http(&response, "response") && self.is_of_http(error, "error-code")
    }

    fn defined(&self, kind: u32) -> Option<&ComponentDefinedType<'_>> {
        match self.0.kind(kind)? {
            Type::Defined(kind) => Some(kind),
            _ => None,
        }
    }

    fn is_of_http(&self, kind: &ComponentValType, name: &str) -> bool {
        let ComponentValType::Type(kind) = kind else {
            return false;
        };
        let Some(Type::OfInstance((instance, known))) = self.0.kind(*kind) else {
            return false;
        };
        let part = self.0.part(*instance);
        let is_http = |interface: &str| compatible(interface) == HTTP_TYPES;
        matches!(part, Some(ComponentPart::Imported(name)) if is_http(name)) && *known == name
    }
}

/// Whether nothing is run when an instance of the component is made besides what is
/// known: components in it only give functions other types.
fn is_quiet(graph: &Graph<'_>) -> bool {
    let is_quiet = |component: &Option<&[u8]>| {
        let sections = component.and_then(|bytes| bytes.get(HEADER_LEN..));
        let inner = sections.and_then(|sections| Graph::read(sections).ok());
        inner.is_some_and(|inner| {
            inner.modules.is_empty() && inner.components.is_empty() && !inner.starts
        })
    };
    !graph.starts && graph.components.iter().all(is_quiet)
}

/// What the functions of the shim call, once the table is filled.
fn fixed_up<'a>(
    graph: &Graph<'a>,
    shim: u32,
    given: &HashMap<&'a str, u32>,
) -> Option<HashMap<&'a str, u32>> {
    let given = graph.instances.get(*given.get("")? as usize)?;
    let Instance::FromExports(exports) = given else {
        return None;
    };
    let is_table = |export: &&Export<'_>| export.name == shim::TABLE;
    let table = exports.iter().find(is_table)?;
    let functions = exports.iter().filter(|export| !is_table(export));
    let is_of_shim = graph.tables.get(table.index as usize) == Some(&(shim, shim::TABLE));
    let functions = functions.map(|export| (export.name, export.index));
    is_of_shim.then(|| functions.collect())
}

/// The name of an interface with as much of its version as matters: that of a
/// draft is kept whole.
fn compatible(interface: &str) -> String {
    let Some((name, version)) = interface.split_once('@') else {
        return interface.to_owned();
    };
    if version.contains(['-', '+']) {
        return interface.to_owned();
    }
    let mut numbers = version.split('.');
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some("0"), Some("0"), _) | (None, ..) => interface.to_owned(),
        (Some("0"), Some(minor), _) => format!("{name}@0.{minor}"),
        (Some(major), ..) => format!("{name}@{major}"),
    }
}
